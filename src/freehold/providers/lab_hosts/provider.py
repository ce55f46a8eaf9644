"""The provider of the computers that the lab plays: project, networks and containers for `hosts` of infra.yml.

Made by `cli` with `--lab` only; driven by `engine` through `providers.protocol.Provider`. Outside of a lab, hosts exist already.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind
from freehold.providers.lab_hosts import hosts, networks
from freehold.providers.lab_hosts.host_steps import Ground, HostSteps
from freehold.providers.lab_hosts.lab import (
    DEFAULT_IMAGE,
    Entrance,
    Images,
    Leave,
    Packages,
    nothing_open,
)
from freehold.providers.lab_hosts.problems import obstacles
from freehold.providers.protocol import Observation, Step
from freehold.system.incus.api import Incus

KINDS = {kind.name: kind for kind in (networks.PROJECT, networks.NETWORK, hosts.KIND)}

WayToPackages = Callable[[Infra], Packages]


class LabHostsProvider:
    """The hosts of an estate in one lab. `packages` says what way to packages they get; `image` is what they are made from.

    `leave` ends what this run has open to a host.
    """

    def __init__(
        self,
        incus: Incus,
        images: Images,
        entrance: Entrance,
        packages: WayToPackages = lambda infra: Packages(),
        image: str = DEFAULT_IMAGE,
        leave: Leave = nothing_open,
    ) -> None:
        self._incus = incus
        self._images = images
        self._entrance = entrance
        self._packages = packages
        self._image = image
        self._leave = leave
        self._settings = ""
        self._ports: dict[str, list[int]] = {}

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return KINDS

    async def observe(self, infra: Infra) -> Observation:
        everywhere = {"recursion": "1", "all-projects": "true"}
        projects, bridges, instances = await asyncio.gather(
            self._incus.get("/projects", recursion="1"),
            self._incus.get("/networks", recursion="1"),
            self._incus.get("/instances", **everywhere),
        )
        managed = [raw for raw in bridges if raw["managed"]]
        found = [
            *networks.observed_ground(infra.name, projects, managed),
            *hosts.observed_hosts(infra.name, instances, managed),
        ]
        problems = tuple(obstacles(infra, managed))
        return Observation({seen.address: seen for seen in found}, problems)

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        if not infra.hosts:
            return {}
        packages = self._packages(infra)
        self._settings = packages.settings
        wanted = [
            *networks.desired_ground(infra),
            *hosts.desired_hosts(infra, packages, observation.observed),
        ]
        for host in infra.hosts:
            ways = [host.ssh.port, *([host.first.port] if host.first else [])]
            self._ports[host.name] = list(dict.fromkeys(ways))
        return {desired.address: desired for desired in wanted}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        if change.address.kind != hosts.KIND.name:
            return networks.ground_steps(self._incus, estate, change)
        ground = Ground(
            incus=self._incus,
            images=self._images,
            entrance=self._entrance,
            leave=self._leave,
            image=self._image,
            settings=self._settings,
        )
        ports = self._ports.get(change.address.domain, [])
        return HostSteps(ground, estate, change, ports).all()

    async def wait_ready(self, timeout: float) -> None:
        await self._incus.wait_ready(timeout)
