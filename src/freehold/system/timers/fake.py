"""Timers in memory, for tests: they never go off."""

from pathlib import Path

from freehold.system.timers.api import TimerState
from freehold.system.timers.job import Job


class FakeTimers:
    """`states` are the timers by their estates, `program` what new ones run; a test may change both."""

    def __init__(self, program: str = "/usr/bin/freehold") -> None:
        self.states: dict[str, TimerState] = {}
        self.program = program

    def job(self, estate: str, folder: Path) -> Job:
        return Job(estate=estate, folder=str(folder), program=(self.program,))

    async def read(self, estate: str) -> TimerState | None:
        return self.states.get(estate)

    async def keep(self, job: Job) -> None:
        self.states[job.estate] = TimerState(job, runs=True)

    async def forget(self, estate: str) -> None:
        self.states.pop(estate, None)
