"""Into a machine by the best way there is: the program that stays in it, else an exec or a file at a time.

What the connection plugin holds for its task. The second way is imported when it is needed.
"""

from collections.abc import Callable
from typing import IO, TypeVar

from freehold.system.warm.failures import NoPython
from freehold.system.warm.machine import Finished, Machine
from freehold.system.warm.shell_line import Command
from freehold.system.warm.way import Way

_T = TypeVar("_T")


class Entrance:
    """Commands and files of one machine. `warm` False: never by a program that stays."""

    def __init__(self, machine: Machine, *, warm: bool) -> None:
        self._machine = machine
        self._way = Way(machine) if warm else None

    def run(self, command: Command, given: bytes) -> Finished:
        """Run a command as root, `given` as its input. Raises WayFailed: it did not run. OutcomeUnknown: who knows."""

        def cold() -> Finished:
            from freehold.system.warm import recorded

            return recorded.run(self._machine, command.words, given)

        return self._by(lambda way: way.run(command, given), cold)

    def push(self, source: IO[bytes], path: str) -> None:
        """Write an open file to this path; one that is new there belongs to root alone. Raises WayFailed."""

        def cold() -> None:
            from freehold.system.warm import files

            files.push(self._machine, source, path)

        self._by(lambda way: way.push(source, path), cold)

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """Read the file at this path. Raises NoSuchFile, WayFailed."""

        def cold() -> None:
            from freehold.system.warm import files

            files.fetch(self._machine, path, into)

        self._by(lambda way: way.fetch(path, into), cold)

    def close(self) -> None:
        """Hang up; what still runs in the machine is ended."""
        if self._way is not None:
            self._way.close()

    def _by(self, warm: Callable[[Way], _T], cold: Callable[[], _T]) -> _T:
        if self._way is not None:
            try:
                return warm(self._way)
            except NoPython:
                pass
        return cold()
