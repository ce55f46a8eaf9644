"""Walks a plan: every change as soon as what it waits for is done, many at once, none decided anew.

Called by `engine.run`. A failed change stops only what waits for it. How one change is carried out, interruptions
included, is in `engine.walk`.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from freehold.diagnostics import BackendError, Diagnostic
from freehold.engine.events import ChangeDone, ChangeFailed, ChangeSkipped, ChangeStarted, Listener
from freehold.engine.planner import Planning
from freehold.engine.walk import NotLetGo, Run, Walk
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.plan import Plan

CONCURRENCY = 16  # steps under way at once; a daemon on two cores gains nothing from more


class Status(StrEnum):
    """How a change ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended, and why when not well: the `step` that failed, or the `reason` why it was skipped."""

    change: Change
    status: Status
    diagnostics: tuple[Diagnostic, ...] = ()
    step: str = ""
    reason: str = ""


class Execution:
    """One walk through one plan."""

    def __init__(self, planner: Planning, listener: Listener, stop: asyncio.Event) -> None:
        self._listen = listener
        self._run = Run(planner, listener, stop, asyncio.Semaphore(CONCURRENCY))

    async def run(self, plan: Plan) -> tuple[Outcome, ...]:
        """Carry out the plan; the outcomes are in the plan's order."""
        loop = asyncio.get_running_loop()
        ends: dict[Address, asyncio.Future[Status]] = {}
        for change in plan.changes:
            ends[change.address] = loop.create_future()
            self._run.let_go[change.address] = loop.create_future()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._when_ready(change, ends)) for change in plan.changes]
        return tuple(task.result() for task in tasks)

    async def _when_ready(
        self, change: Change, ends: Mapping[Address, asyncio.Future[Status]]
    ) -> Outcome:
        status = Status.FAILED
        try:
            for address in sorted(change.waits_for):
                if await ends[address] is not Status.DONE:
                    return self._skip(change, f"{address} was not done")
            outcome = await self._carry_out(change)
            status = outcome.status
            return outcome
        finally:
            if not ends[change.address].done():  # cancelled with whoever waited for it
                ends[change.address].set_result(status)
            self._run.end(change, status is Status.DONE)

    def _skip(self, change: Change, reason: str) -> Outcome:
        self._listen(ChangeSkipped(change, reason))
        return Outcome(change, Status.SKIPPED, reason=reason)

    async def _carry_out(self, change: Change) -> Outcome:
        if self._run.stop.is_set():
            return self._skip(change, "the run was asked to stop")
        self._listen(ChangeStarted(change))
        started = time.monotonic()
        walk = Walk(self._run, change)
        try:
            finished = await walk.to_the_end()
        except NotLetGo as error:
            return self._skip(change, str(error))
        except BackendError as error:
            diagnostics = tuple(error.diagnostics)
            seconds = time.monotonic() - started
            self._listen(ChangeFailed(change, walk.step, seconds, diagnostics))
            return Outcome(change, Status.FAILED, diagnostics, step=walk.step)
        if not finished:
            return self._skip(change, f"stopped before: {walk.step}")
        self._listen(ChangeDone(change, time.monotonic() - started))
        return Outcome(change, Status.DONE)
