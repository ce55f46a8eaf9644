"""A command that writes into its recorded output when it began and how it ended, and can be stopped before it has begun.

Used by `recorded.py`. In a machine with `security.syscalls.intercept.*`, Incus says of some commands "Failed to retrieve PID of
executing child process" although they run (26 of 200, Incus 6.0.4); it records their output all the same. So such a command is
either stopped, and may be tried again, or heard out.
"""

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from freehold.system.warm.daemon import ask, exchange
from freehold.system.warm.failures import Broken
from freehold.system.warm.files import is_there, make_link
from freehold.system.warm.machine import PAUSE, Finished, Machine

# In every machine (FHS 3.0, 3.15), and mounted before its system starts anything; /tmp is mounted over while it starts.
_ROOM = "/run"
_STOPPED = "stopped"

# $1 is the mark: making a symbolic link is one step that only one of two can do (symlink(2)); nobody else waits for this one. $2
# is the file with the input; the shell opens it and removes its name. What the shell has to say about the command goes nowhere.
_SCRIPT = """\
mark=$1 input=$2
shift 2
if [ -n "$input" ]; then [ -f "$input" ] && exec <"$input" && rm -f -- "$input" || { echo "$mark went" >&2; exit 1; }; fi
ln -s begun "$mark" 2>/dev/null || { rm -f -- "$mark"; exit 1; }
exec 3>&2 2>/dev/null
echo "$mark began $$"
(exec 2>&3 3>&-; exec "$@")
code=$?
printf '\\n%s ended %s\\n' "$mark" "$code"
rm -f -- "$mark"
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a command has written so far, without what its shell wrote; `began` is that shell's process, `code` how it ended."""

    output: bytes
    began: int | None
    code: int | None


class Marked:
    """One try of a command, known by a mark that no other has."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._mark = f"{_ROOM}/.freehold-{os.urandom(16).hex()}"
        mark = re.escape(self._mark.encode())
        self._began = re.compile(mark + rb" began (\d+)\n")
        self._ended = re.compile(rb"\n" + mark + rb" ended (\d+)\n")

    @property
    def input(self) -> str:
        """Where its input is to lie in the machine."""
        return f"{self._mark}.input"

    def words(self, command: Sequence[str], *, given: bool) -> list[str]:
        """What Incus is to run."""
        return ["/bin/sh", "-c", _SCRIPT, "sh", self._mark, self.input if given else "", *command]

    def has_lost_its_input(self, done: Finished) -> bool:
        """Whether it did not begin because its input was gone."""
        return done.errors == f"{self._mark} went\n".encode()

    def heard(self, recorded: bytes) -> Heard:
        """What Incus has recorded, taken apart. What was begun in the background may write after the end."""
        began = self._began.match(recorded)
        if began is None:
            return Heard(recorded, None, None)
        rest = recorded[began.end() :]
        ended = self._ended.search(rest)
        if ended is None:
            return Heard(rest, int(began[1]), None)
        return Heard(rest[: ended.start()] + rest[ended.end() :], int(began[1]), int(ended[1]))

    def heard_out(self, operation: str) -> Finished | None:
        """How it ended of which Incus knows nothing more; None when it never ran, and never will. Raises WayFailed: who knows."""
        stopped = make_link(self._machine, self._mark, _STOPPED)
        while (heard := self._look(operation)).code is None:
            if stopped and heard.began is None:
                self._forget(operation)
                return None
            if stopped or not self._runs(heard):
                heard = self._look(operation)
                break
            time.sleep(PAUSE)
        if heard.code is None:
            raise Broken("the machine restarted, or the command was killed")
        errors = self._read(operation, "stderr")
        self._forget(operation)
        return Finished(heard.code, heard.output, errors)

    def _runs(self, heard: Heard) -> bool:
        process = heard.began is None or is_there(self._machine, f"/proc/{heard.began}/task")
        return process and is_there(self._machine, self._mark)

    def _look(self, operation: str) -> Heard:
        return self.heard(self._read(operation, "stdout"))

    def _read(self, operation: str, stream: str) -> bytes:
        with exchange(self._machine, "GET", self._recording(operation, stream)) as answer:
            content = answer.read()
        if answer.status != 200:
            raise Broken("Incus has lost the recorded output")
        return content

    def _forget(self, operation: str) -> None:
        """It may hold what nobody else should see."""
        for stream in ("stdout", "stderr"):
            ask(self._machine, "DELETE", self._recording(operation, stream))

    def _recording(self, operation: str, stream: str) -> str:
        """Where Incus puts it (doc/instance-exec.md; `exec_` and the operation's id)."""
        name = self._machine.name
        return f"/1.0/instances/{name}/logs/exec-output/exec_{operation}.{stream}"
