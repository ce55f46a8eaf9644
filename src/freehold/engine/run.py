"""One whole run: carry out a plan, then look again and say what really is. Called by apply, destroy and orphans."""

import asyncio
from dataclasses import dataclass

from freehold.diagnostics import Diagnostic, ExitCode
from freehold.engine.events import Listener
from freehold.engine.execute import Execution, Outcome, Status
from freehold.engine.planner import Picture, Planning
from freehold.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended. `unsettled` are changes that were done and yet are still needed; `after` is the last look."""

    outcomes: tuple[Outcome, ...]
    unsettled: tuple[Diagnostic, ...] = ()
    stopped: bool = False
    after: Picture | None = None

    def of(self, status: Status) -> tuple[Outcome, ...]:
        """The outcomes that ended this way."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is status)

    @property
    def exit_code(self) -> ExitCode:
        done = self.of(Status.DONE)
        if len(done) == len(self.outcomes) and not self.unsettled:
            return ExitCode.DONE
        return ExitCode.PARTLY_APPLIED if done else ExitCode.FAILED


async def run(planner: Planning, plan: Plan, listener: Listener, stop: asyncio.Event) -> RunResult:
    """Carry out `plan`. Raises BackendError only when the last look fails."""
    if plan.is_empty:
        return RunResult(())
    outcomes = await Execution(planner, listener, stop).run(plan)
    after = await planner.look()
    return RunResult(outcomes, _unsettled(outcomes, after), stop.is_set(), after)


def _unsettled(outcomes: tuple[Outcome, ...], after: Picture) -> tuple[Diagnostic, ...]:
    """A change is done only when a fresh look no longer asks for it."""
    needed = {change.address: change for change in after.plan.changes}
    return tuple(
        Diagnostic(
            code="not-settled",
            summary="A change was made and is still needed",
            detail=f"{outcome.change.address}: "
            + ", ".join(field.path for field in needed[outcome.change.address].fields)
            + " did not stay as written; somebody else may be changing it.",
            hint="Look at what is different now:\n    freehold plan",
        )
        for outcome in outcomes
        if outcome.status is Status.DONE and outcome.change.address in needed
    )
