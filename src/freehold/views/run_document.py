"""How a run ended, as JSON: what `apply --json`, `destroy --json` and `orphans --prune --json` print."""

from typing import Any

from freehold.engine.run import RunResult
from freehold.planning.document import change_document
from freehold.planning.plan import Plan


def run_document(plan: Plan, result: RunResult, *, seconds: float) -> dict[str, Any]:
    """The plan, and how each of its changes ended."""
    return {
        "schema": 1,
        "kind": "run",
        "estate": plan.estate,
        "exit_code": int(result.exit_code),
        "seconds": round(seconds, 3),
        "stopped": result.stopped,
        "changes": [
            {
                **change_document(outcome.change),
                "status": outcome.status.value,
                "diagnostics": [diagnostic.as_json() for diagnostic in outcome.diagnostics],
            }
            for outcome in result.outcomes
        ],
        "diagnostics": [diagnostic.as_json() for diagnostic in result.unsettled],
        "summary": plan.summary(),
    }
