"""What may be asked about an estate's timer. Protocol; the real ones are `systemd.py` and `process.py`.

Called by `providers.timer`, and by whoever tells when snapshots were last looked at.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from freehold.system.timers.job import Job, LastRun


@dataclass(frozen=True, slots=True)
class TimerState:
    """A timer as it is. `runs`: it goes off again, now and after a restart. `last` is None when it never went off."""

    job: Job
    runs: bool
    last: LastRun | None = None


class Timers(Protocol):
    """The timers of one host, one an estate."""

    def job(self, estate: str, folder: Path) -> Job:
        """What a timer of the estate in this folder is to run."""

    async def read(self, estate: str) -> TimerState | None:
        """As it is; None when there is none. Raises BackendError."""

    async def keep(self, job: Job) -> None:
        """Have it run, in the place of the estate's former one. Raises BackendError."""

    async def forget(self, estate: str) -> None:
        """Take it away; nothing is left behind. Raises BackendError."""
