"""One connection of OpenSSH to a host, and the commands that go through it. Opened by `ssh.py`.

The master is a process of its own (`ControlMaster` of ssh_config(5)) that lives as long as its standard input is open: with us, or
with a Freehold that is killed. Commands are processes of `ssh` that pass through its socket.
"""

import asyncio
import contextlib
import os
import shlex
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.model.hosts import Ssh
from freehold.system.processes import find_program
from freehold.system.targets import problems
from freehold.system.targets.commands import Answer
from freehold.system.targets.problems import NotEntered
from freehold.system.targets.way import CONNECT_SECONDS, SshOptions, call

_ENTER = 4.0 * CONNECT_SECONDS  # seconds for all of it: a name to look up, a proxy, a slow login
_END = 5.0  # seconds for a process to end
_AT_ONCE = 8  # OpenSSH's server takes 10 (MaxSessions of sshd_config(5)); the master is one, Ansible another
_LOST = 255  # how ssh itself ends when it fails
_LAST = 4096  # bytes of what the master says that are kept

_ROOT = ("root", "sudo")
_MARK = b"freehold-entered:"
_WHO = (
    'if [ "$(id -u)" = 0 ]; then w=root; elif sudo -n true 2>/dev/null; then w=sudo; else w=nobody; fi; '
    f"echo; echo {_MARK.decode()}$w; exec cat >/dev/null"
)


class Master:
    """An open connection. `ssh` is the way by which it was entered; `socket` lets others in."""

    def __init__(self, name: str, ssh: Ssh, socket: Path, begun: "_Begun", *, sudo: bool) -> None:
        self.name = name
        self.ssh = ssh
        self.socket = socket
        self._begun = begun
        self._prefix = ["sudo", "-n", "--"] if sudo else []
        self._places = asyncio.Semaphore(_AT_ONCE)

    @property
    def alive(self) -> bool:
        """Whether commands still go through it."""
        return self._begun.process.returncode is None and self.socket.exists()

    async def run(self, command: Sequence[str], given: bytes, seconds: float) -> Answer:
        """Run a command as root. Raises TargetFailed when the connection breaks or it takes longer than that."""
        words = [*self._begun.call, shlex.join([*self._prefix, *command])]
        async with self._places:
            process = await _start(words, stdin=PIPE if given else DEVNULL)
            try:
                async with asyncio.timeout(seconds):
                    output, errors = await process.communicate(given or None)
            except TimeoutError:
                raise problems.lost(self.name, f"no answer in {seconds:.0f} seconds.") from None
            finally:
                await _kill(process)
        assert process.returncode is not None
        if process.returncode == _LOST and not await self._answers():
            raise problems.lost(self.name, _text(errors))
        return Answer(process.returncode, output, errors)

    async def close(self) -> None:
        """End the connection, with whatever still runs through it."""
        await self._begun.end()

    async def _answers(self) -> bool:
        """Whether the master is there: then it was the command that ended as ssh does when it fails."""
        if not self.alive:
            return False
        ssh, *rest = self._begun.call
        process = await _start([ssh, "-O", "check", *rest], stdin=DEVNULL)
        await process.communicate()
        return process.returncode == 0


async def entered(
    name: str, address: str, ssh: Ssh, options: SshOptions, socket: Path
) -> Master | NotEntered:
    """Enter a host. Raises TargetUnreached where this computer has no `ssh`."""
    begun = await _begin(call(options, address, ssh, socket))
    who, refused = "", ""
    try:
        async with asyncio.timeout(_ENTER):
            who = await begun.who()
            refused = "" if who else await begun.last_words()
    except TimeoutError:
        refused = f"it did not let us in within {_ENTER:.0f} seconds."
    finally:
        if who not in _ROOT:
            await begun.end()
    if who not in _ROOT:
        return NotEntered(ssh, refused, not_root=bool(who))
    return Master(name, ssh, socket, begun, sudo=who == "sudo")


@dataclass(slots=True)
class _Begun:
    """The process of a master. `call` are the words of a command through it, `errors` what it says."""

    process: Process
    call: Sequence[str]
    errors: asyncio.Task[bytes]

    async def who(self) -> str:
        """What follows the mark; a login may say other things first. Empty when the connection ends before."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if line.startswith(_MARK):
                return _text(line.removeprefix(_MARK).strip())
        return ""

    async def last_words(self) -> str:
        return _text(await self.errors)

    async def end(self) -> None:
        """Ask it to end, then make it."""
        _signal(self.process, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END):
                await self.process.wait()
        await _kill(self.process)
        self.errors.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.errors


async def _begin(calls: Sequence[str]) -> _Begun:
    ssh, *rest = calls
    process = await _start([ssh, "-M", *rest, f"exec sh -c {shlex.quote(_WHO)}"], stdin=PIPE)
    assert process.stderr is not None
    return _Begun(process, calls, asyncio.create_task(_last(process.stderr)))


async def _start(words: Sequence[str], *, stdin: int) -> Process:
    """In a session of its own, so that Ctrl-C reaches it when the run decides so; and killed when we are."""
    if find_program(words[0]) is None:
        raise problems.no_program()
    guard = ["setpriv", "--pdeathsig", "KILL", "--"] if find_program("setpriv") else []
    return await asyncio.create_subprocess_exec(
        *guard, *words, stdin=stdin, stdout=PIPE, stderr=PIPE, start_new_session=True
    )


async def _kill(process: Process) -> None:
    """End a process for which nobody waits any more."""
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: Process, number: int) -> None:
    """Unless it has ended. Not by `Process.send_signal`: that looks whether it has, and takes its exit code from who waits."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def _last(stream: asyncio.StreamReader) -> bytes:
    """The end of all that comes: who says much must not be kept waiting, nor all of it be kept."""
    said = b""
    while piece := await stream.read(_LAST):
        said = (said + piece)[-_LAST:]
    return said


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
