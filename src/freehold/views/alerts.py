"""The test of alerts, for people as it goes and as JSON. Called by `cli.alerts`."""

from typing import Any, TextIO

from freehold.operations.alert_test.steps import AlertTest, Outcome, Step
from freehold.views.terminal import Paper, visible

_SIGNS = {Outcome.SEEN: "ok", Outcome.FAILED: "failed", Outcome.NOT_MEASURED: "not measured"}


def alert_test_document(test: AlertTest) -> dict[str, Any]:
    """As in the contract of `alerts test --json`."""
    return {
        "schema": 1,
        "kind": "alerts test",
        "arrived": test.arrived,
        "steps": [
            {
                "what": step.what,
                "outcome": step.outcome.value,
                "seconds": round(step.seconds, 1),
                "detail": step.detail,
            }
            for step in test.steps
        ],
        "problem": test.problem.as_json() if test.problem else None,
    }


def render_step(step: Step, stream: TextIO) -> None:
    """Write one line as soon as it is known."""
    seconds = f", {step.seconds:.0f} s" if step.outcome is Outcome.SEEN else ""
    paper = Paper(stream)
    for line in paper.wrapped(
        f"{_SIGNS[step.outcome]}: {step.what} ({visible(step.detail)}{seconds})"
    ):
        paper.line(line)
