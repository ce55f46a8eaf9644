"""A run that has more than one part: what comes before its plan is agreed to with it and carried out before it.

`cli.carry_out` knows nothing else of it. Made by `operations.snapshots.first` and `operations.undo`.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from freehold.engine.execute import Outcome, Status
from freehold.engine.planner import Picture, Planning
from freehold.engine.run import RunResult
from freehold.planning.change import Change
from freehold.planning.plan import Plan

Part = Callable[[Planning, Plan], Awaitable[RunResult]]
"""Carries out one plan, watched and written down like every run."""


class Course(Protocol):
    """What a run does beside its plan."""

    async def look(self, picture: Picture) -> Picture:
        """Look at what it needs; what is shown and agreed to. Raises BackendError."""

    def words(self) -> Iterator[str]:
        """Lines to be shown below the plan."""

    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """What the journal notes, by event; also what is added to the run as JSON."""

    async def carry_out(self, picture: Picture, part: Part) -> RunResult:
        """All parts, in order. Raises FreeholdError."""


def joined(results: Sequence[RunResult], left: Iterable[Outcome] = ()) -> RunResult:
    """Parts as one run; `left` is what was not begun."""
    return RunResult(
        outcomes=(*(outcome for result in results for outcome in result.outcomes), *left),
        unsettled=tuple(problem for result in results for problem in result.unsettled),
        stopped=any(result.stopped for result in results),
        after=results[-1].after if results else None,
    )


def not_begun(changes: Iterable[Change], reason: str) -> list[Outcome]:
    """How changes ended whose turn never came."""
    return [Outcome(change, Status.SKIPPED, reason=reason) for change in changes]
