"""What every real target does alike: a command with a limit of time, and files by commands that any Debian has.

`ssh.py` and `incus.py` bring a command there and say how it ended (`Bring`); the rest is here, so that it is one thing on both.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from freehold.system.targets import problems
from freehold.system.targets.api import Ended

_ENDED_BY_TIMEOUT = (
    124,
    137,
)  # timeout(1): its own code, and that of a program that had to be killed
_GRACE = 5  # seconds between asking a program to end and making it
_ANSWER = 30.0  # seconds more than the program's own for the way there and back
_NOT_THERE = 44  # no code that cat(1) has
_WHOLE = 600.0  # seconds for a file of any size

# A reader, or a connection that breaks in the middle, meets the old content or the new: it becomes the file only when it is whole.
_WRITE = """
set -eu
path=$1 mode=$2 owner=$3 length=$4
umask 022
mkdir -p -- "$(dirname -- "$path")"
umask 077
new=$(mktemp -- "$path.XXXXXXXX")
trap 'rm -f -- "$new"' EXIT
cat >"$new"
[ "$(wc -c <"$new")" -eq "$length" ] || { echo "only a part of it arrived" >&2; exit 1; }
chown -- "$owner" "$new"
chmod -- "$mode" "$new"
sync -- "$new"
mv -fT -- "$new" "$path"
"""
_READ = f'[ -e "$1" ] || [ -L "$1" ] || exit {_NOT_THERE}; exec cat -- "$1"'


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, byte for byte."""

    code: int
    output: bytes
    errors: bytes


Bring = Callable[[Sequence[str], bytes, float], Awaitable[Answer]]
"""Runs a command on the target with this on its standard input, and waits at most so many seconds. Raises TargetFailed."""


class Commands:
    """`Target`, by a way to bring commands there; `ssh.py` and `incus.py` are made of it."""

    def __init__(self, name: str, bring: Bring) -> None:
        self._name = name
        self._bring = bring

    @property
    def name(self) -> str:
        return self._name

    async def run(
        self, command: Sequence[str], *, given: bytes = b"", timeout: float = 60.0
    ) -> Ended:
        answer = await self._within(command, given, timeout)
        return Ended(answer.code, _text(answer.output), _text(answer.errors))

    async def write(
        self, path: str, content: bytes, *, mode: str = "0644", owner: str = "0:0"
    ) -> None:
        words = ["sh", "-c", _WRITE, "sh", path, mode, owner, str(len(content))]
        answer = await self._within(words, content, _WHOLE)
        if answer.code:
            raise problems.file_failed(self._name, path, "written", _text(answer.errors))

    async def read(self, path: str) -> bytes | None:
        answer = await self._within(["sh", "-c", _READ, "sh", path], b"", _WHOLE)
        if answer.code == _NOT_THERE:
            return None
        if answer.code:
            raise problems.file_failed(self._name, path, "read", _text(answer.errors))
        return answer.output

    async def _within(self, command: Sequence[str], given: bytes, seconds: float) -> Answer:
        """The target ends the command itself: nobody else can once the connection is gone."""
        limited = ["timeout", f"--kill-after={_GRACE}", str(seconds), *command]
        began = time.monotonic()
        answer = await self._bring(limited, given, seconds + _GRACE + _ANSWER)
        if answer.code in _ENDED_BY_TIMEOUT and time.monotonic() - began >= seconds:
            raise problems.too_slow(self._name, command[0], seconds)
        return answer


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
