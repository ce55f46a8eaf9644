"""Whether infra.yml is valid, for people and as JSON. Called by `cli.validate`."""

from collections.abc import Sequence
from typing import Any, TextIO

from freehold.diagnostics import Diagnostic, has_errors
from freehold.model import Infra
from freehold.views.words import count


def validation_document(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """As in the contract of `validate --json`."""
    return {
        "schema": 1,
        "kind": "validate",
        "valid": not has_errors(diagnostics),
        "diagnostics": [diagnostic.as_json() for diagnostic in diagnostics],
    }


def render_valid(infra: Infra, warnings: int, stream: TextIO) -> None:
    """One line: what the file describes."""
    policies = [policy for policy in infra.policies if not policy.follows]
    parts = [
        count(len(infra.domains), "domain"),
        count(len(list(infra.machines())), "machine"),
        *([count(len(policies), "policy", "policies")] if policies else []),
        *([count(len(infra.hosts), "host")] if infra.hosts else []),
        *([count(len(infra.services), "service")] if infra.services else []),
    ]
    remark = f" ({count(warnings, 'warning')} above)" if warnings else ""
    stream.write(f"infra.yml is valid: {', '.join(parts)}{remark}.\n")
