"""Carries out one change, step by step, through interruptions. Called by `engine.execute`.

A system that goes away for a moment is waited for and looked at again; what is then left of the change is done.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from freehold.diagnostics import BackendInterrupted
from freehold.engine.events import ChangeInterrupted, Listener, StepReported, StepStarted
from freehold.engine.planner import Planning
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.providers.protocol import Step

_ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = (
    0.1,
    5.0,
)  # seconds; a system that shuts down still answers for a while
_PATIENCE = 120.0  # seconds that a system may be away


class NotLetGo(Exception):
    """What a change is to have was not given up by its holder."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the changes of one run share. `let_go` tells, by address, when others may have what it held."""

    planner: Planning
    listen: Listener
    stop: asyncio.Event
    slots: asyncio.Semaphore
    let_go: dict[Address, asyncio.Future[bool]] = field(default_factory=dict)

    def end(self, change: Change, let_go: bool) -> None:
        """Whoever still waits for this change to let go of something learns how it ended."""
        future = self.let_go[change.address]
        if not future.done():
            future.set_result(let_go)


@dataclass(slots=True)
class Walk:
    """The steps of one change. `step` names the one that is, or would be, next."""

    run: Run
    change: Change
    step: str = "start"

    async def to_the_end(self) -> bool:
        """Run every step; False when the run was asked to stop in between. Raises BackendError, NotLetGo."""
        remaining: Change | None = self.change
        attempt = 1
        while remaining is not None:
            try:
                return await self._steps_of(remaining)
            except BackendInterrupted as error:
                if attempt == _ATTEMPTS:
                    raise
                attempt += 1
                self.run.listen(ChangeInterrupted(self.change, tuple(error.diagnostics)))
            await asyncio.sleep(min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))
            await self.run.planner.provider.wait_ready(_PATIENCE)
            remaining = await self.run.planner.again(self.change)
        return True

    async def _steps_of(self, change: Change) -> bool:
        steps = self.run.planner.provider.steps(self.run.planner.infra.name, change)
        waiting = bool(self.change.claims_from)
        for step in steps:
            self.step = step.description
            if waiting and not _lets_go_later(steps, step):
                await self._until_let_go()
                waiting = False
            if self.run.stop.is_set():
                return False
            await self._do(step)
            if step.lets_go:
                self.run.end(self.change, let_go=True)
        return True

    async def _until_let_go(self) -> None:
        for address in sorted(self.change.claims_from):
            if not await self.run.let_go[address]:
                raise NotLetGo(f"{address} still holds what it is to have")

    async def _do(self, step: Step) -> None:
        def report(text: str) -> None:
            self.run.listen(StepReported(self.change, text))

        self.run.listen(StepStarted(self.change, step.description))
        if step.only_waits:
            await step.run(report)
            return
        async with self.run.slots:
            await step.run(report)


def _lets_go_later(steps: Sequence[Step], step: Step) -> bool:
    """Whether what others wait for is still to come, at this step or after it: then it is not held up."""
    return any(later.lets_go for later in steps[steps.index(step) :])
