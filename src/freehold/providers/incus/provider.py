"""The Incus provider: projects, bridges, profiles, volumes and instances of an estate on one Incus server.

Made by `cli` with a client and a source of images; driven by `engine` through `providers.protocol.Provider`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from freehold.model import Infra
from freehold.model.computer import Card
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind
from freehold.providers.incus import bridges, instances, profiles, projects, volumes
from freehold.providers.incus.cards import cards_of
from freehold.providers.incus.control import Ways, control_machine, ways_of
from freehold.providers.incus.gpu import wants_card
from freehold.providers.incus.gpu_obstacles import gpu_obstacles
from freehold.providers.incus.guardian import losses
from freehold.providers.incus.hardware import Hardware
from freehold.providers.incus.images import Images
from freehold.providers.incus.instance_steps import InstanceSteps
from freehold.providers.incus.observe import (
    Server,
    missing,
    observed_of,
    own_instances,
    read_server,
)
from freehold.providers.incus.obstacles import obstacles
from freehold.providers.incus.under_way import under_way
from freehold.providers.protocol import Observation, Step
from freehold.system.incus.api import Incus
from freehold.system.pci import PciDevices

if TYPE_CHECKING:
    from freehold.planning.capacity import Capacity

KINDS = {
    module.KIND.name: module.KIND for module in (projects, bridges, profiles, volumes, instances)
}


CardMemory = Callable[[Iterable[str]], Mapping[str, int]]


class IncusProvider:
    """One Incus server as Freehold sees it.

    `ways` says for an estate what its control machines get. Without it they keep what they have: so from inside one of
    them, where nothing else tells what is outside. `own` is then the name of that one's instance. `pci` are the computer's
    devices, None where they cannot be seen; nor is `card_memory` there, which tells how much memory the graphics cards at
    these PCI addresses have.
    """

    def __init__(
        self,
        incus: Incus,
        images: Images,
        ways: Callable[[str], Ways] | None = None,
        own: str | None = None,
        *,
        pci: PciDevices | None = None,
        card_memory: CardMemory | None = None,
    ) -> None:
        self.incus = incus
        self._images = images
        self._ways = ways
        self.own = own
        self._one_bridge_at_a_time = asyncio.Lock()
        self._pci = pci
        self._card_memory = card_memory

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return KINDS

    async def observe(self, infra: Infra) -> Observation:
        hardware = Hardware(self.incus)
        server, cards = await asyncio.gather(read_server(self.incus), self._cards(infra, hardware))
        found, _ = await asyncio.gather(
            losses(self.incus, own_instances(server, infra), cards),
            hardware.prepare() if missing(server, infra) else asyncio.sleep(0),
        )
        observed = observed_of(server, infra, found.lost)
        here = control_machine(observed.values(), self.own) if self.own else None
        return Observation(
            observed,
            (
                *obstacles(infra, server, observed),
                *gpu_obstacles(infra, cards, self._pci),
                *found.diagnostics(),
            ),
            here=here,
            cards=cards,
            measures=(partial(self._capacity, infra, server, hardware),),
        )

    async def _cards(self, infra: Infra, hardware: Hardware) -> tuple[Card, ...]:
        """The computer's, anew each time: a driver may have been loaded. Asked for only when a machine wants one."""
        if not wants_card(infra):
            return ()
        return cards_of(await hardware.read())

    async def _capacity(self, infra: Infra, server: Server, hardware: Hardware) -> "Capacity":
        from freehold.providers.incus.computer import capacity_of  # most plans start without

        return await capacity_of(self.incus, infra, server, hardware, self._card_memory)

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        seen = observation.observed.values()
        ways = self._ways(infra.name) if self._ways else ways_of(seen)
        wanted: list[Desired] = []
        if infra.transfer is not None:
            wanted.append(bridges.desired_transfer(infra.transfer))
        for domain in infra.domains:
            wanted += [projects.desired_project(domain), bridges.desired_bridge(domain)]
            wanted += profiles.desired_profiles(domain, infra.storage, observation.cards)
            wanted += volumes.desired_volumes(domain, infra.storage)
            wanted += instances.desired_instances(infra, domain, ways, observation.cards)
        return {desired.address: desired for desired in wanted}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        match change.address.kind:
            case projects.KIND.name:
                return projects.project_steps(self.incus, estate, change)
            case bridges.KIND.name:
                return bridges.bridge_steps(self.incus, estate, change, self._one_bridge_at_a_time)
            case profiles.KIND.name:
                return profiles.profile_steps(self.incus, estate, change)
            case volumes.KIND.name:
                return volumes.volume_steps(self.incus, estate, change)
            case _:
                return InstanceSteps(self.incus, self._images, estate, change).all()

    async def under_way(self, infra: Infra) -> list[str]:
        """What Incus is doing for this estate right now, in words."""
        return await under_way(self.incus, infra.name, [domain.name for domain in infra.domains])

    async def wait_ready(self, timeout: float) -> None:
        await self.incus.wait_ready(timeout)
