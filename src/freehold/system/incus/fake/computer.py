"""The computer that the in-memory Incus pretends to run on; part of `Behaviour`, so that tests may choose it."""

from dataclasses import dataclass, field
from typing import Any

_GIB = 1024**3


@dataclass(slots=True)
class FakeComputer:
    """Sizes in bytes; those of the pool are of every pool. `cards` are as `GET /1.0/resources` lists them.

    `tells`: whether the client may know (the right `can_view_resources` of Incus's authorization by OpenFGA).
    """

    threads: int = 8
    memory: int = 32 * _GIB
    pool_total: int = 30 * _GIB
    pool_used: int = 0
    cards: list[dict[str, Any]] = field(default_factory=list)
    tells: bool = True
