"""What every provider is: one system that Freehold can observe and change. Called by `engine`.

A new system is a new package beside this module that implements `Provider`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from freehold.diagnostics import Diagnostic
from freehold.model import Infra
from freehold.model.computer import Card
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind, Observed

if TYPE_CHECKING:  # a plan that asks nothing more of the computer should not pay for it
    from freehold.planning.capacity import Capacity

Report = Callable[[str], None]
"""Receives what a step is doing right now: `rootfs: 45%`."""

Measure = Callable[[], Awaitable["Capacity"]]
"""Looks at a computer and all that live on it. Raises BackendError; what the computer does not tell is no error."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a system: what is there, and what about it needs saying.

    `unseen` are the kinds that cannot be looked at from here, and why; `unreached` the hosts that do not answer. `here` is the machine in which this process runs, when
    it is one of the estate's. `cards`: the graphics cards of the computer, when machines want one. `measures`
    look at the computers that carry the estate, each at one; awaited only by who wants to know whether it fits.
    """

    observed: Mapping[Address, Observed] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    unseen: Mapping[str, Diagnostic] = field(default_factory=dict)
    unreached: Mapping[str, Diagnostic] = field(default_factory=dict)
    here: Address | None = None
    cards: tuple[Card, ...] = ()
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a change, in words and as something to await.

    `only_waits` marks a step that costs the system nothing, so that it takes no other step's place. `lets_go` marks the
    one after which others may have what this resource held (an IP address); without one, that is the last step.
    """

    description: str
    run: Callable[[Report], Awaitable[None]]
    only_waits: bool = False
    lets_go: bool = False


class Provider(Protocol):
    """One system.

    `observe` and the steps raise BackendError; BackendInterrupted where another try is worth it.
    """

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds of resources it brings."""

    async def observe(self, infra: Infra) -> Observation:
        """What exists of this estate, and whatever else stands at names that the estate wants."""

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        """What infra.yml wants; every machine has an address. The observation is of all systems: what stands beside it."""

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        """The actions that carry out a change of this estate, in order."""

    async def wait_ready(self, timeout: float) -> None:
        """Return once the system answers again. Raises BackendError when it does not."""
