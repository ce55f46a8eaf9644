"""The plugin's way to the keeper: found or started, then one request at a time. Blocking, and cheap to import.

A worker of Ansible makes a `Way` for its task. What fails before the machine has got it is tried again here, with a new
keeper if need be; what may have been done is not.
"""

import os
import select
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeVar

from freehold.system.warm import finding
from freehold.system.warm.failures import (
    NoPython,
    NoSuchFile,
    NothingDone,
    OutcomeUnknown,
    WayFailed,
    unknown_outcome,
)
from freehold.system.warm.machine import Finished, Machine, patiently
from freehold.system.warm.shell_line import Command
from freehold.system.warm.target import frames

_RECEIVE = 1 << 18  # bytes
_KINDS = {"nothing-done": NothingDone, "no-python": NoPython, "unknown": OutcomeUnknown}

_T = TypeVar("_T")
_Take = Callable[[bytes], object]


class Way:
    """Into one machine. A broken connection to the keeper is made anew with the next request."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._socket: socket.socket | None = None

    def run(self, command: Command, given: bytes = b"") -> Finished:
        """Run a command as root. Raises NoPython, WayFailed: it did not run. OutcomeUnknown: nobody knows."""
        what = {
            "words": command.words,
            "python": command.python,
            "environment": command.environment,
        }

        def attempt() -> Finished:
            output, errors = bytearray(), bytearray()
            done = self._request(
                frames.RUN, what, _pieces(given), {frames.OUTPUT: output.extend, frames.ERRORS: errors.extend}
            )  # fmt: skip
            if "failure" in done:
                raise WayFailed(f"{command.words[0]} in {self._machine}: {done['failure']}.")
            return Finished(done["code"], bytes(output), bytes(errors))

        return patiently(self._machine, attempt)

    def push(self, source: IO[bytes], path: str) -> None:
        """Write an open file into the machine; one that is new there belongs to root alone. Raises as `run`."""

        def attempt() -> None:
            source.seek(0)
            pieces = iter(lambda: source.read(frames.PIECE), b"")
            done = self._request(frames.PUT, {"path": path}, pieces, {})
            if "failure" in done:
                raise WayFailed(f"{path} in {self._machine}: {done['failure']}.")

        self._repeatedly(attempt)

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """Read a file of the machine. Raises NoSuchFile, and as `run`."""

        def attempt() -> None:
            into.seek(0)
            into.truncate()
            errors = bytearray()
            done = self._request(
                frames.GET, {"path": path}, (), {frames.OUTPUT: into.write, frames.ERRORS: errors.extend}
            )  # fmt: skip
            if done["code"] != 0:
                raise NoSuchFile(f"{path} in {self._machine}: {errors.decode()}.")

        self._repeatedly(attempt)

    def close(self) -> None:
        """Hang up. A command that still runs in the machine is ended there."""
        connection, self._socket = self._socket, None
        if connection is not None:
            with suppress(OSError):  # a thread may still wait at it, and closes it too
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _repeatedly(self, attempt: Callable[[], _T]) -> _T:
        """Files may be written and read twice: also what may have been done is tried again."""

        def again() -> _T:
            try:
                return attempt()
            except OutcomeUnknown as error:
                raise NothingDone(f"The connection to {self._machine} broke.") from error

        return patiently(self._machine, again)

    def _request(
        self, kind: int, what: dict[str, Any], given: Iterable[bytes], take: dict[int, _Take]
    ) -> dict[str, Any]:
        """What the program in the machine said at the end."""
        try:
            self._send(kind, what, given)
            for frame in self._answers():
                if frame.kind == frames.DONE:
                    return frame.document()
                if frame.kind == frames.FAILED:
                    found = frame.document()
                    raise _KINDS.get(found["kind"], WayFailed)(found["text"])
                take[frame.kind](frame.content)
        except WayFailed:
            raise
        # Also when interrupted: what comes now must not be taken for the next answer.
        except BaseException:
            self.close()
            raise
        self.close()
        raise unknown_outcome(str(self._machine), "the process that holds the connections ended")

    def _send(self, kind: int, what: dict[str, Any], given: Iterable[bytes]) -> None:
        """The request up to its END, without which nothing is begun. Raises NothingDone."""
        connection = self._open()
        waiting = frames.encode_document(0, kind, what)
        for piece in given:
            self._give(connection, waiting + frames.encode(0, frames.DATA, piece))
            waiting = b""
        self._give(connection, waiting + frames.encode(0, frames.END))

    def _answers(self) -> Iterator[frames.Frame]:
        """Frames until the keeper is gone, or Ansible."""
        decoder, connection = frames.Decoder(), self._open()
        with suppress(ConnectionError), _watched_parent() as parent:
            while not _is_readable(parent, connection.fileno()):
                if not (content := connection.recv(_RECEIVE)):
                    return
                yield from decoder.feed(content)

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = finding.connect(self._machine.socket)
            which = {"project": self._machine.project, "name": self._machine.name}
            self._give(self._socket, frames.encode_document(0, frames.MACHINE, which))
        return self._socket

    def _give(self, connection: socket.socket, content: bytes) -> None:
        try:
            connection.sendall(content)
        except OSError as error:
            self.close()
            raise NothingDone("The process that holds the connections ended.") from error


@contextmanager
def _watched_parent() -> Iterator[int]:
    """A descriptor that is readable once the process that has started this one is no more.

    A worker must not outlive an Ansible that was killed: what it waits for would run on for nobody.
    """
    descriptor = os.pidfd_open(os.getppid() or os.getpid())  # 0: outside of this process namespace
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_readable(parent: int, other: int) -> bool:
    """Wait until there is something at one of the two; whether it is the parent's end."""
    poll = select.poll()
    for descriptor in (parent, other):
        poll.register(descriptor, select.POLLIN)
    return any(descriptor == parent for descriptor, _ in poll.poll())


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), frames.PIECE):
        yield content[start : start + frames.PIECE]
