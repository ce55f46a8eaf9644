"""Holds machines still for a moment, with a guard that lets them go on if this process ends first.

Called by `providers.incus.snapshots.quiet`. The guard is a process of its own, begun with the first machine that is held.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import freehold
from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.processes import search_path

_GUARD = "freehold.system.incus.thaw_guard"
_PATIENCE = 15.0  # seconds for it to start
_SECONDS_TO_END = 5.0  # after that it goes on by itself with what it lets go


class Thaw(Protocol):
    """Who lets machines go on when nobody else does."""

    def hold(self, project: str, instance: str, *, frozen: bool, after: str) -> None:
        """Watch over one machine: if this process ends, it is thawed (when `frozen`) and `after` is run in it.

        `after` is a shell command line, or empty. Raises BackendError when nobody can watch.
        """

    def free(self, project: str, instance: str) -> None:
        """It goes on, and needs nobody any more."""

    def close(self) -> None:
        """This process is done. What is still held is let go."""


class NobodyWatches:
    """For a server that goes with this process: the one in memory."""

    def hold(self, project: str, instance: str, *, frozen: bool, after: str) -> None:
        """Nothing is left to be let go."""

    def free(self, project: str, instance: str) -> None:
        """As it was."""

    def close(self) -> None:
        """There is nobody."""


class ThawGuard:
    """The real one, for the Incus behind a socket. The command reaches it by a pipe: it may hold a secret."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._process: subprocess.Popen[bytes] | None = None

    def hold(self, project: str, instance: str, *, frozen: bool, after: str) -> None:
        held = {"project": project, "instance": instance, "frozen": frozen, "after": after}
        self._tell({"hold": f"{project}/{instance}", **held})

    def free(self, project: str, instance: str) -> None:
        self._tell({"free": f"{project}/{instance}"})

    def close(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_END)
        self._process = None

    def _tell(self, message: dict[str, object]) -> None:
        if self._process is None:
            self._process = _started(self._socket)
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), json.dumps(message).encode() + b"\n")
        except BrokenPipeError as error:
            raise _nobody() from error


def _started(socket: Path) -> "subprocess.Popen[bytes]":
    """Returns when it listens."""
    environment = {
        "PATH": search_path(),
        "PYTHONPATH": str(Path(freehold.__file__).parents[1]),
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", _GUARD, str(socket)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        bufsize=0, cwd="/", env=environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    ready = select.select([process.stdout], [], [], _PATIENCE)[0]
    if not ready or not process.stdout.read(1):
        process.kill()
        raise _nobody()
    process.stdout.close()
    return process


def _nobody() -> BackendError:
    return BackendError(
        Diagnostic(
            code="nobody-watches",
            summary="A machine may not be held still",
            detail="The process that would let it go on if this one ended did not start, or has ended.",
            hint="Is the computer out of memory or of processes? Then try again.",
        )
    )
