"""Orphans for people and as JSON. Called by `cli.orphans`."""

from typing import Any, TextIO

from freehold.planning.plan import Orphan, Plan


def orphans_document(plan: Plan) -> dict[str, Any]:
    """As `orphans --json` prints them."""
    return {
        "schema": 1,
        "kind": "orphans",
        "estate": plan.estate,
        "orphans": [orphan.as_json() for orphan in plan.orphans],
    }


def render_orphans(plan: Plan, stream: TextIO, *, command: str = "freehold") -> None:
    """A line for each, and what to type to be rid of them."""
    if not plan.orphans:
        stream.write("No orphans: infra.yml names everything that this estate has made.\n")
        return
    for orphan in plan.orphans:
        stream.write(f"  {orphan.address}{_remark(orphan)}\n")
    stream.write(f"\nTo delete them, and nothing else:\n    {command} orphans --prune\n")


def _remark(orphan: Orphan) -> str:
    remarks = [
        *(["holds data: needs --confirm " + orphan.address.path] if orphan.holds_data else []),
        *(["protected: is kept"] if orphan.protected else []),
        *([f"its data stays: {', '.join(orphan.stays)}"] if orphan.stays else []),
    ]
    return f"  ({'; '.join(remarks)})" if remarks else ""
