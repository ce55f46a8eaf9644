"""One run at a time for an estate's folder. Taken by apply, destroy and pruning; told about by `status` and `ui`.

The kernel's lock on `.freehold/lock` decides (it goes with its owner, however that ended); the text inside says who.
"""

import contextlib
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from freehold.diagnostics import Diagnostic, LockHeld, Severity

STATE_FOLDER = ".freehold"
_A_LOOK = 0.5  # seconds; whoever only looks who works here holds the lock for far less
_PAUSE = 0.01


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the lock. `since` is in seconds since the epoch."""

    pid: int
    host: str
    verb: str
    since: float

    @property
    def command(self) -> str:
        """What the user typed, as far as it matters."""
        return "ansible-playbook" if self.verb == "ansible" else f"freehold {self.verb}"

    def age(self) -> str:
        """How long it has been held, in words."""
        seconds = max(0, int(time.time() - self.since))
        return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


@contextlib.contextmanager
def lock(folder: Path, verb: str) -> Iterator[Diagnostic | None]:
    """Hold the lock of the estate in `folder`.

    Yields a notice when a run before this one died without giving it back, else None. Raises LockHeld.
    """
    path = folder / STATE_FOLDER / "lock"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _take(file, path)
        dead = _read(path)
        _write(file.fileno(), Owner(os.getpid(), platform.node(), verb, time.time()))
        try:
            yield _taken_over(dead) if dead else None
        finally:
            os.ftruncate(file.fileno(), 0)


def at_work(folder: Path) -> Owner | None:
    """Who changes the estate in `folder` right now; None when nobody does, or where that cannot be told."""
    path = folder / STATE_FOLDER / "lock"
    try:
        with path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(path)
    except OSError:
        pass  # nobody ever worked here, or it is not ours to read
    return None


def _take(file: IO[str], path: Path) -> None:
    """Hold it; whoever looks at it with `at_work` is waited for, and whoever works is not."""
    end = time.monotonic() + _A_LOOK
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise LockHeld(_held(_read(path))) from error
            time.sleep(_PAUSE)
        else:
            return


def _write(descriptor: int, owner: Owner) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(asdict(owner)).encode())


def _read(path: Path) -> Owner | None:
    try:
        return Owner(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _held(owner: Owner | None) -> Diagnostic:
    who = (
        f"`{owner.command}` (process {owner.pid} on {owner.host}) has been at work for {owner.age()}"
        if owner
        else "another run has just begun"
    )
    return Diagnostic(
        code="locked",
        summary="Another run is at work on this estate",
        detail=f"{who}.",
        hint="Wait for it, or look at what it does:\n    freehold log",
    )


def _taken_over(owner: Owner) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="lock-taken-over",
        summary="A run before this one ended without a word",
        detail=f"`{owner.command}` (process {owner.pid} on {owner.host}) held the lock since "
        f"{owner.age()} and is gone. This run continues from what is real.",
    )
