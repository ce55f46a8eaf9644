"""Asks the terminal that this process was started from for a sign of life, through all that lies between.

The question is a device status report (ECMA-48, 8.3.35; `CSI 5 n`, answered with `CSI 0 n`): it travels to the terminal
where a person sits, and the answer back, over the connection that the person came by. Called by `operations.ways_in`.
"""

import asyncio
import contextlib
import os
import re
import termios
from collections.abc import AsyncIterator
from pathlib import Path

TERMINAL = "/dev/tty"  # the controlling terminal, tty(4)
_QUESTION = b"\x1b[5n"
_ANSWER = re.compile(rb"\x1b\[[03]n")
# Programs that are a terminal themselves, on this computer: they answer although nobody may be there any more.
_STAND_INS = {"tmux: server", "screen", "SCREEN", "mosh-server", "zellij", "script", "asciinema"}
_LOCAL_FLAGS = 3  # its place in what tcgetattr answers (termios(3))


def unanswerable() -> str:
    """Why no terminal can be asked; empty when one can."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return "the terminal takes no questions (TERM is dumb)"
    try:
        handle = _opened()
    except OSError:
        return "there is no terminal"
    try:
        if os.tcgetpgrp(handle) != os.getpgrp():
            return "it runs in the background"
    except OSError:
        return "there is no terminal"
    finally:
        os.close(handle)
    stand_in = next((name for name in _ancestors() if name in _STAND_INS), None)
    return f"{stand_in} stands between, which answers by itself" if stand_in else ""


async def answers(seconds: float, *, ask: bool = True) -> bool:
    """Whether the terminal answers within `seconds`; without `ask`, a question that was put before.

    What is typed meanwhile is lost.
    """
    try:
        handle = _opened()
    except OSError:
        return False
    try:
        async with _one_key_at_a_time(handle):
            if ask:
                os.write(handle, _QUESTION)
            return await _answered(handle, seconds)
    except (OSError, termios.error):  # EIO: its other end has closed
        return False
    finally:
        os.close(handle)


async def _answered(handle: int, seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bool] = loop.create_future()
    heard = bytearray()

    def hear() -> None:
        try:
            heard.extend(os.read(handle, 4096))
        except BlockingIOError:
            return
        except OSError:
            loop.remove_reader(handle)
            return
        if _ANSWER.search(heard) and not answered.done():
            answered.set_result(True)

    loop.add_reader(handle, hear)
    try:
        return await asyncio.wait_for(answered, seconds)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(handle)


@contextlib.asynccontextmanager
async def _one_key_at_a_time(handle: int) -> AsyncIterator[None]:
    """No lines and no echo while an answer is awaited; Ctrl-C stays what it is (termios(3))."""
    before = termios.tcgetattr(handle)
    changed = termios.tcgetattr(handle)
    changed[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(handle, termios.TCSANOW, changed)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(handle, termios.TCSANOW, before)


def _opened() -> int:
    return os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)


def _ancestors() -> list[str]:
    """The names of the processes that this one descends from, as far as they can be seen (proc_pid_stat(5))."""
    names, pid = [], os.getppid()
    with contextlib.suppress(OSError, ValueError):
        while pid > 1:
            head, _, rest = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
            names.append(head.partition("(")[2])
            pid = int(rest.split()[1])
    return names
