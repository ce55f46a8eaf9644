"""What was cut is brought back, also when who cut it is killed. Part of what `leaks.text` brings to a target."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def guarded(restore: Callable[[], None], after_death: Callable[[], None]) -> Iterator[None]:
    """Have it restored at the end; when this process does not live to see that, by `after_death` in one of its own, which is there before."""
    ours, theirs = os.pipe()
    if (child := os.fork()) == 0:
        os.close(theirs)
        _stand_by(ours, after_death)
    os.close(ours)
    os.waitpid(child, 0)
    try:
        yield
    finally:
        restore()
        os.write(theirs, b"done")
        os.close(theirs)


def _stand_by(ours: int, after_death: Callable[[], None]) -> None:
    """Wait for the word or the end of who may say it. In a session of its own: what ends that one does not end this."""
    try:
        os.setsid()
        if os.fork() == 0:
            for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(each, signal.SIG_IGN)
            nothing = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(nothing, standard)
            if not os.read(ours, 4):
                after_death()
    finally:
        os._exit(0)
