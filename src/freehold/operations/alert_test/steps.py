"""What the test of alerts has seen, part by part: what `way` makes and `views.alerts` shows."""

from dataclasses import dataclass, field
from enum import StrEnum

from freehold.diagnostics import Diagnostic


class Outcome(StrEnum):
    """How a part of the way was."""

    SEEN = "seen"
    FAILED = "failed"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the way: what should happen, whether it did, after how many seconds, and what there is to say of it."""

    what: str
    outcome: Outcome
    seconds: float = 0.0
    detail: str = ""


@dataclass(slots=True)
class AlertTest:
    """The whole way, in its order. `problem` is what to do about the part that failed."""

    steps: list[Step] = field(default_factory=list)
    problem: Diagnostic | None = None

    @property
    def arrived(self) -> bool:
        """Whether nothing failed; parts that were not measured do not count."""
        return all(step.outcome is not Outcome.FAILED for step in self.steps)
