"""Which machine is meant, what a command in it answered, and how long to wait for it. Used by all modules here."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from freehold.system.warm.failures import NothingDone

PATIENCE = 30.0  # seconds for what passes by itself: a machine that starts, a daemon that restarts
PAUSE = 0.25  # seconds between two tries

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Machine:
    """The instance `name` behind the Incus socket at `socket`."""

    socket: str
    project: str
    name: str
    patience: float = field(default=PATIENCE, compare=False)

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command in a machine answered."""

    code: int
    output: bytes
    errors: bytes


def patiently(machine: Machine, attempt: Callable[[], _T]) -> _T:
    """Repeat what fails before it has begun, until the machine's patience ends. Raises what the last try did."""
    deadline = time.monotonic() + machine.patience
    while True:
        try:
            return attempt()
        except NothingDone:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
