"""Walks a plan: every change as soon as what it waits for is done, many at once, none decided anew.

Called by `engine.run`. A failed change stops only what waits for it. A system that goes away for a moment is waited
for, looked at again, and the rest of the change is carried out.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from freehold.diagnostics import BackendError, BackendInterrupted, Diagnostic
from freehold.engine.events import (
    ChangeDone,
    ChangeFailed,
    ChangeInterrupted,
    ChangeSkipped,
    ChangeStarted,
    Listener,
    StepReported,
    StepStarted,
)
from freehold.engine.planner import Planner
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.providers.protocol import Step

CONCURRENCY = 16  # steps under way at once; a daemon on two cores gains nothing from more
_ATTEMPTS = 5
_PATIENCE = 120.0  # seconds that a system may be away


class Status(StrEnum):
    """How a change ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended, and why when not well."""

    change: Change
    status: Status
    diagnostics: tuple[Diagnostic, ...] = ()


class Execution:
    """One walk through one plan."""

    def __init__(self, planner: Planner, listener: Listener, stop: asyncio.Event) -> None:
        self._planner = planner
        self._listen = listener
        self._stop = stop
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def run(self, plan: Plan) -> tuple[Outcome, ...]:
        """Carry out the plan; the outcomes are in the plan's order."""
        loop = asyncio.get_running_loop()
        ends: dict[Address, asyncio.Future[Status]] = {
            change.address: loop.create_future() for change in plan.changes
        }
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._when_ready(change, ends)) for change in plan.changes]
        return tuple(task.result() for task in tasks)

    async def _when_ready(
        self, change: Change, ends: Mapping[Address, asyncio.Future[Status]]
    ) -> Outcome:
        outcome = Outcome(change, Status.FAILED)
        try:
            for address in sorted(change.waits_for):
                if await ends[address] is not Status.DONE:
                    outcome = self._skip(change, f"{address} was not done")
                    return outcome
            outcome = await self._carry_out(change)
            return outcome
        finally:
            ends[change.address].set_result(outcome.status)

    def _skip(self, change: Change, reason: str) -> Outcome:
        self._listen(ChangeSkipped(change, reason))
        return Outcome(change, Status.SKIPPED)

    async def _carry_out(self, change: Change) -> Outcome:
        if self._stop.is_set():
            return self._skip(change, "the run was asked to stop")
        self._listen(ChangeStarted(change))
        started = time.monotonic()
        walk = _Walk(self._planner, self._listen, self._stop, self._slots, change)
        try:
            finished = await walk.to_the_end()
        except BackendError as error:
            diagnostics = tuple(error.diagnostics)
            seconds = time.monotonic() - started
            self._listen(ChangeFailed(change, walk.step, seconds, diagnostics))
            return Outcome(change, Status.FAILED, diagnostics)
        if not finished:
            return self._skip(change, f"stopped before: {walk.step}")
        self._listen(ChangeDone(change, time.monotonic() - started))
        return Outcome(change, Status.DONE)


@dataclass(slots=True)
class _Walk:
    """The steps of one change, through interruptions. `step` names the step that is or would be next."""

    planner: Planner
    listen: Listener
    stop: asyncio.Event
    slots: asyncio.Semaphore
    change: Change
    step: str = "start"

    async def to_the_end(self) -> bool:
        """Run every step; False when the run was asked to stop in between. Raises BackendError."""
        remaining: Change | None = self.change
        for attempt in range(1, _ATTEMPTS + 1):
            if remaining is None:
                return True
            try:
                return await self._steps_of(remaining)
            except BackendInterrupted as error:
                if attempt == _ATTEMPTS:
                    raise
                self.listen(ChangeInterrupted(self.change, tuple(error.diagnostics)))
            await self.planner.provider.wait_ready(_PATIENCE)
            remaining = await self.planner.again(self.change)
        return True

    async def _steps_of(self, change: Change) -> bool:
        for step in self.planner.provider.steps(self.planner.infra.name, change):
            self.step = step.description
            if self.stop.is_set():
                return False
            await self._run(step)
        return True

    async def _run(self, step: Step) -> None:
        def report(text: str) -> None:
            self.listen(StepReported(self.change, text))

        if step.only_waits:
            self.listen(StepStarted(self.change, step.description))
            await step.run(report)
            return
        async with self.slots:
            self.listen(StepStarted(self.change, step.description))
            await step.run(report)
