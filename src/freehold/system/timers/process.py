"""A timer as a process of its own that outlives Freehold: where no systemd runs the host, and for the lab.

It is outside of the lab's namespaces, since it runs the command with `--lab`, and ends with the lab's first process. The
lab starts it again. Made by `place.py` and `operations.lab`.
"""

import asyncio
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import freehold
from freehold.diagnostics import BackendError
from freehold.system.processes import ProcessIdentity, identify, require, search_path
from freehold.system.timers.api import TimerState
from freehold.system.timers.job import (
    HOUR,
    JOB,
    Job,
    path_of,
    ran_of,
    read_job,
    read_run,
    socket_of,
    write_job,
)
from freehold.system.timers.problems import explained, failed
from freehold.system.unix_http import listener_pid

MODULE = "freehold.system.timers.loop"
_PATIENCE = 15.0  # seconds for it to start and to end
_PAUSE = 0.05
_DETACHED = 'exec setsid --fork "$@" </dev/null >/dev/null 2>&1'


class ProcessTimers:
    """The jobs are in `folder`. `life` is the process with which a timer that is started now ends; None: with none."""

    def __init__(
        self,
        folder: Path,
        program: Sequence[str],
        variables: Mapping[str, str],
        *,
        every: float = HOUR,
        life: int | None = None,
    ) -> None:
        self._folder = folder
        self._program = tuple(program)
        self._variables = dict(variables)
        self._every = every
        self._life = life

    def job(self, estate: str, folder: Path) -> Job:
        return Job(
            estate=estate,
            folder=str(folder),
            program=self._program,
            variables=self._variables,
            every=self._every,
        )

    async def read(self, estate: str) -> TimerState | None:
        path = path_of(self._folder, estate)
        with explained("reading the timer"):
            job = read_job(path)
        if job is None:
            return None
        return TimerState(job, listener_pid(socket_of(path)) is not None, read_run(path))

    async def keep(self, job: Job) -> None:
        await asyncio.to_thread(self._keep, job)

    async def forget(self, estate: str) -> None:
        await asyncio.to_thread(self._forget, estate)

    def start_all(self) -> None:
        """Have every timer run again that there is a job for. Raises BackendError."""
        for path in sorted(self._folder.glob(f"*{JOB}")):
            if listener_pid(socket_of(path)) is None:
                self._start(path)

    def stop_all(self) -> None:
        """End every timer; `start_all` brings them back. Raises BackendError."""
        with explained("ending the timer"):
            for path in sorted(self._folder.glob(f"*{JOB}")):
                self._stop(path)

    def _keep(self, job: Job) -> None:
        path = path_of(self._folder, job.estate)
        with explained("starting the timer"):
            self._stop(path)
            write_job(path, job)
        self._start(path)

    def _start(self, path: Path) -> None:
        with explained("starting the timer"):
            require([*_clean(), "sh", "-c", _DETACHED, "sh", *self._argv(path)], timeout=_PATIENCE)
        until = time.monotonic() + _PATIENCE
        while listener_pid(socket_of(path)) is None:
            if time.monotonic() > until:
                raise BackendError(failed("starting the timer", "its process does not come up"))
            time.sleep(_PAUSE)

    def _argv(self, path: Path) -> list[str]:
        life = [] if self._life is None else [str(self._life)]
        return [sys.executable, "-P", "-m", MODULE, str(path), *life]

    def _stop(self, path: Path) -> None:
        """It is found by its socket. A command that it is running is told to end."""
        pid = listener_pid(socket_of(path))
        process = identify(pid) if pid else None
        if process is not None:
            _end(process)
        socket_of(path).unlink(missing_ok=True)

    def _forget(self, estate: str) -> None:
        path = path_of(self._folder, estate)
        with explained("ending the timer"):
            self._stop(path)
            ran_of(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            if self._folder.is_dir() and not any(self._folder.iterdir()):
                self._folder.rmdir()


def _end(process: ProcessIdentity) -> None:
    """Told, then killed; returns when it has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        process.signal(number)
        until = time.monotonic() + _PATIENCE
        while process.alive and time.monotonic() < until:
            time.sleep(_PAUSE)


def _clean() -> list[str]:
    """Nothing of the surroundings of whoever applied goes into a process that stays: there may be secrets in them."""
    source = Path(freehold.__file__).parents[1]
    return ["env", "-i", f"PATH={search_path()}", f"PYTHONPATH={source}", "LANG=C.UTF-8"]
