"""An agent as a process of its own that outlives Freehold: where no systemd runs the host, and in the lab.

The lab's first process starts it again when the lab does. Called by `program.py`.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import freehold
from freehold.diagnostics import BackendError
from freehold.system.host_agent.problems import failed
from freehold.system.processes import run
from freehold.system.unix_http import listener_pid

MODULE = "freehold.operations.host_agent"
_PATIENCE = 15.0  # seconds for it to start and to end
_PAUSE = 0.05
_DETACHED = 'exec setsid --fork "$@" </dev/null >/dev/null 2>&1'


class ProcessRunner:
    """`prefix` is the command that enters the host, empty on it."""

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        self._prefix = tuple(prefix)

    def start(self, charge: Path, socket: Path) -> None:
        self.stop(charge, socket)
        argv = [*self._prefix, "sh", "-c", _DETACHED, "sh", *agent_argv(charge)]
        done = run(argv, environment=agent_environment(), timeout=_PATIENCE)
        if done.code != 0:
            raise BackendError(failed("starting the agent", done.errors.strip()))

    def stop(self, charge: Path, socket: Path) -> None:
        """It is found by its socket. What it was trying out is undone."""
        until = time.monotonic() + _PATIENCE
        while (pid := listener_pid(socket)) is not None and time.monotonic() < until:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            time.sleep(_PAUSE)
        socket.unlink(missing_ok=True)

    def stays(self, charge: Path) -> bool:
        return True

    def clean(self) -> None:
        """There is nothing besides the process."""


def agent_argv(charge: Path) -> list[str]:
    """The command that does what the file says, until it is ended."""
    return [sys.executable, "-P", "-m", MODULE, str(charge)]


def agent_environment() -> dict[str, str]:
    """With which variables that command finds this Freehold."""
    return {"PYTHONPATH": str(Path(freehold.__file__).parents[1])}
