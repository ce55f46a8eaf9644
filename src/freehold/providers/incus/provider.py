"""The Incus provider: projects, bridges, profiles, volumes and instances of an estate on one Incus server.

Made by `cli` with a client and a source of images; driven by `engine` through `providers.protocol.Provider`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind
from freehold.providers.incus import bridges, instances, profiles, projects, volumes
from freehold.providers.incus.control import Ways, control_machine, ways_of
from freehold.providers.incus.images import Images
from freehold.providers.incus.instance_steps import InstanceSteps
from freehold.providers.incus.observe import observed_of, read_server
from freehold.providers.incus.obstacles import obstacles
from freehold.providers.incus.under_way import under_way
from freehold.providers.protocol import Observation, Step
from freehold.system.incus.api import Incus

KINDS = {
    module.KIND.name: module.KIND for module in (projects, bridges, profiles, volumes, instances)
}


class IncusProvider:
    """One Incus server as Freehold sees it.

    `ways` says for an estate what its control machines get. Without it they keep what they have: so from inside one of
    them, where nothing else tells what is outside. `own` is then the name of that one's instance.
    """

    def __init__(
        self,
        incus: Incus,
        images: Images,
        ways: Callable[[str], Ways] | None = None,
        own: str | None = None,
    ) -> None:
        self.incus = incus
        self._images = images
        self._ways = ways
        self.own = own
        self._one_bridge_at_a_time = asyncio.Lock()

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return KINDS

    async def observe(self, infra: Infra) -> Observation:
        server = await read_server(self.incus)
        observed = observed_of(server, infra)
        here = control_machine(observed.values(), self.own) if self.own else None
        return Observation(observed, tuple(obstacles(infra, server, observed)), here=here)

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        seen = observation.observed.values()
        ways = self._ways(infra.name) if self._ways else ways_of(seen)
        wanted: list[Desired] = []
        if infra.transfer is not None:
            wanted.append(bridges.desired_transfer(infra.transfer))
        for domain in infra.domains:
            wanted += [projects.desired_project(domain), bridges.desired_bridge(domain)]
            wanted += profiles.desired_profiles(domain, infra.storage)
            wanted += volumes.desired_volumes(domain, infra.storage)
            wanted += instances.desired_instances(infra, domain, ways)
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
