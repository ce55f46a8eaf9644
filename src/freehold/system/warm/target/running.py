"""One request that has become a process: its descriptors, its input that is still to be written, its end.

All descriptors are plain numbers: a forked payload closes them as such, and no object may close them once more.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable

from freehold.system.warm.target import frames

_AFTERMATH = 1.0  # seconds for which output of what a command left running is still awaited
_MERCY = 5.0  # seconds from SIGTERM to SIGKILL


class Pipes:
    """Standard input, output and errors of a process to be: its ends, and ours."""

    def __init__(self) -> None:
        self.input, self.to_input = os.pipe()
        self.from_output, self.output = os.pipe()
        self.from_errors, self.errors = os.pipe()
        os.set_blocking(self.to_input, False)

    def close_inner(self) -> None:
        """Close the process's ends, which it has by now."""
        for descriptor in (self.input, self.output, self.errors):
            os.close(descriptor)

    def close_outer(self) -> None:
        """Close our ends: no process has come of it."""
        for descriptor in (self.to_input, self.from_output, self.from_errors):
            os.close(descriptor)


class Running:
    """A process for request `number`. `wait` collects it and gives its code as subprocess does (-9: SIGKILL).

    `notes` is a file in memory that it leaves for this program, if there is one.
    """

    def __init__(
        self,
        number: int,
        pid: int,
        wait: Callable[[], int],
        pipes: Pipes,
        given: bytes = b"",
        notes: int | None = None,
    ) -> None:
        self.number = number
        self.ending = os.pidfd_open(pid)
        self.input: int | None = pipes.to_input
        self.streams: dict[int, int] = {
            pipes.from_output: frames.OUTPUT,
            pipes.from_errors: frames.ERRORS,
        }
        self.code: int | None = None
        self.deadline: float | None = None
        self.notes = notes
        self._pid = pid
        self._wait = wait
        self._given = memoryview(given)

    @property
    def over(self) -> bool:
        """Nothing more can come."""
        return self.code is not None and not self.streams

    def write(self) -> bool:
        """Give it as much of its input as it takes; whether that was all, or it wants no more."""
        assert self.input is not None
        try:
            while self._given:
                self._given = self._given[os.write(self.input, self._given) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            pass
        return True

    def collect(self) -> None:
        """Take the code of the process, which has ended. A signal's number counts from 128, as in a shell."""
        code = self._wait()
        self.code = code if code >= 0 else 128 - code
        self.deadline = time.monotonic() + _AFTERMATH

    def stop(self) -> None:
        """Ask the process and its children to end; the second time they are killed."""
        number = signal.SIGTERM if self.deadline is None else signal.SIGKILL
        self.deadline = time.monotonic() + _MERCY
        try:
            os.killpg(self._pid, number)
        except ProcessLookupError:  # not yet the leader of its session
            os.kill(self._pid, number)


def start(number: int, words: list[str], given: bytes) -> Running:
    """Run a program in a session of its own. Raises OSError when it cannot be started."""
    pipes = Pipes()
    try:
        process = subprocess.Popen(
            words,
            stdin=pipes.input,
            stdout=pipes.output,
            stderr=pipes.errors,
            start_new_session=True,
        )
    except OSError:
        pipes.close_outer()
        raise
    finally:
        pipes.close_inner()
    return Running(number, process.pid, process.wait, pipes, given)


def fork(number: int, notes: int | None = None) -> Running | None:
    """A copy of this process with pipes as its standard streams, nothing else open but `notes`; None in the copy."""
    pipes = Pipes()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for inner, standard in ((pipes.input, 0), (pipes.output, 1), (pipes.errors, 2)):
            os.dup2(inner, standard)
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            if descriptor > 2 and descriptor != notes:
                _close(descriptor)
        return None
    pipes.close_inner()
    return Running(number, pid, lambda: _code(pid), pipes, notes=notes)


def _close(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # the one that the folder was read through
        os.close(descriptor)


def _code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
