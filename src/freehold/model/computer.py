"""The computer that carries an estate: its processors, memory, storage and graphics cards. Pure values.

Read by `providers.incus.computer` from Incus, compared with what infra.yml asks for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A graphics card. `pci` is its address (`0000:01:00.0`); empty strings and None are what nobody tells.

    `vendor` is nvidia, amd, intel, or what Incus calls another maker. `memory` is its own, in bytes; a card without any
    (it borrows the computer's) has None too. `nodes` are the files in /dev through which it is used, each with its
    numbers (`226:128`), or an empty string where nobody tells them.
    """

    pci: str
    vendor: str
    product: str = ""
    driver: str = ""
    driver_version: str = ""
    memory: int | None = None
    nodes: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """`NVIDIA GA104 at 0000:01:00.0`, for sentences."""
        return f"{self.product or self.vendor} at {self.pci}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A storage pool, in bytes."""

    total: int
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Computer:
    """`threads` are what its processors run at once; `memory` is in bytes. `pools` have Incus's names."""

    threads: int
    memory: int
    pools: Mapping[str, Pool] = field(default_factory=dict)
    cards: tuple[Card, ...] = ()
