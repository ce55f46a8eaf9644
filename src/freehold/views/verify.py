"""What `freehold verify` found, for people and as JSON. Called by `cli.verify`."""

from typing import Any, TextIO

from freehold.operations.verify import Verification
from freehold.planning.document import plan_document
from freehold.views.plan import render_plan


def verification_document(found: Verification) -> dict[str, Any]:
    """As `verify --json` prints it."""
    return {
        **plan_document(found.plan),
        "kind": "verify",
        "clean": found.is_clean,
        "machines": found.machines,
        "diagnostics": [diagnostic.as_json() for diagnostic in found.diagnostics],
    }


def render_verification(found: Verification, stream: TextIO, *, command: str = "freehold") -> None:
    """What differs; the last line says whether anything does."""
    if not found.plan.is_empty or found.plan.orphans:
        render_plan(found.plan, stream, command=command)
    if found.is_clean:
        stream.write(
            f"Verified: everything is as infra.yml says; {found.machines} machines run with "
            "their addresses.\n"
        )
    elif found.is_as_declared:
        stream.write(
            f"Not measured: {', '.join(found.plan.not_measured)}. All else is as infra.yml says; "
            f"{found.machines} machines run with their addresses.\n"
        )
    else:
        stream.write("Not verified: what runs is not what infra.yml says.\n")
