"""One look at an Incus server: a fixed number of recursive reads, whatever the size of the estate.

`read_server` reads; `observed_of` turns what was read into Observed values. Called by `provider.py`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.resource import Observed
from freehold.providers.incus.bridges import observed_bridge
from freehold.providers.incus.device_nodes import NOTHING_LOST, Lost
from freehold.providers.incus.instances import observed_instance
from freehold.providers.incus.marks import DOMAIN, owner
from freehold.providers.incus.profiles import DEFAULT, observed_profile
from freehold.providers.incus.projects import observed_project
from freehold.providers.incus.under_way import without_interface
from freehold.providers.incus.volumes import observed_volume
from freehold.system.incus.api import Incus

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Server:
    """What the API answered. Volumes are by pool; `given_up` are bridges that are listed but have no interface."""

    projects: Sequence[Raw]
    networks: Sequence[Raw]
    profiles: Sequence[Raw]
    instances: Sequence[Raw]
    volumes: Mapping[str, Sequence[Raw]]
    given_up: Collection[str] = ()


async def read_server(incus: Incus) -> Server:
    """Read everything at once."""
    projects, networks, profiles, instances, pools = await asyncio.gather(
        incus.get("/projects", recursion="1"),
        incus.get("/networks", recursion="1"),
        incus.get("/profiles", recursion="1", **_EVERYWHERE),
        incus.get("/instances", recursion="1", **_EVERYWHERE),
        incus.get("/storage-pools"),
    )
    names = [url.rsplit("/", 1)[1] for url in pools]
    volumes = await asyncio.gather(
        *(
            incus.get(f"/storage-pools/{name}/volumes/custom", recursion="1", **_EVERYWHERE)
            for name in names
        )
    )
    by_pool = dict(zip(names, volumes, strict=True))
    given_up = await without_interface(incus, networks)
    return Server(projects, networks, profiles, instances, by_pool, given_up)


_EVERYWHERE = {"all-projects": "true"}


def own_instances(server: Server, infra: Infra) -> Iterator[Raw]:
    """The estate's machines as Incus lists them, those that infra.yml no longer names left out."""
    declared = {(machine.domain, machine.instance) for machine in infra.machines()}
    for raw in server.instances:
        if (raw["project"], raw["name"]) in declared and owner(raw["config"]) == infra.name:
            yield raw


def missing(server: Server, infra: Infra) -> bool:
    """Whether the server lacks a declared machine."""
    there = {(raw["project"], raw["name"]) for raw in server.instances}
    return any((machine.domain, machine.instance) not in there for machine in infra.machines())


def observed_of(
    server: Server, infra: Infra, lost: Mapping[tuple[str, str], Lost] | None = None
) -> dict[Address, Observed]:
    """What of a server concerns an estate: its own objects, and whatever stands at the names it wants.

    `lost` are devices that do not work inside, by project and name of an instance.
    """
    estate = infra.name
    ours = {raw["name"] for raw in server.projects if owner(raw["config"]) == estate}
    relevant = ours | {domain.name for domain in infra.domains}
    foreign: defaultdict[str, list[str]] = defaultdict(list)
    found = [
        *_inside(server, infra, relevant, foreign, lost or {}),
        *_bridges(server, infra),
    ]
    found += [
        observed_project(estate, raw, foreign[raw["name"]])
        for raw in server.projects
        if raw["name"] in relevant
    ]
    return {seen.address: seen for seen in found}


def _bridges(server: Server, infra: Infra) -> Iterator[Observed]:
    estate = infra.name
    bridges = {domain.bridge: domain.name for domain in infra.domains}
    if infra.transfer is not None:
        bridges[infra.transfer.bridge] = HOST
    for raw in server.networks:
        config: Mapping[str, str] = raw.get("config") or {}
        if owner(config) == estate:
            given_up = raw["name"] in server.given_up
            yield observed_bridge(estate, config.get(DOMAIN, raw["name"]), raw, given_up=given_up)
        elif raw["name"] in bridges and raw["managed"]:
            yield observed_bridge(estate, bridges[raw["name"]], raw)


def _inside(
    server: Server,
    infra: Infra,
    domains: Collection[str],
    foreign: defaultdict[str, list[str]],
    lost: Mapping[tuple[str, str], Lost],
) -> Iterator[Observed]:
    """Profiles, volumes and instances of the projects; notes in `foreign` what lives there without our mark."""
    estate = infra.name
    machines = {(machine.domain, machine.instance): machine for machine in infra.machines()}
    profiles = {(each.name, one.name): one for each in infra.domains for one in each.profiles}
    for raw in server.profiles:
        if raw["project"] in domains:
            wanted = profiles.get((raw["project"], raw["name"]))
            if seen := observed_profile(estate, raw["project"], raw, wanted):
                yield seen
            if raw["name"] != DEFAULT:
                _note(foreign, estate, "profile", raw)
    for raw in server.instances:
        if raw["project"] in domains:
            key = raw["project"], raw["name"]
            yield observed_instance(
                estate, raw["project"], raw, machines.get(key), lost.get(key, NOTHING_LOST)
            )
            _note(foreign, estate, "instance", raw)
    for pool, volumes in server.volumes.items():
        for raw in volumes:
            is_snapshot = "/" in raw["name"]
            if raw["project"] in domains and not is_snapshot:
                yield observed_volume(estate, raw["project"], pool, raw)
                _note(foreign, estate, "volume", raw)


def _note(foreign: defaultdict[str, list[str]], estate: str, noun: str, raw: Raw) -> None:
    if owner(raw["config"]) != estate:
        foreign[raw["project"]].append(f"{noun} {raw['name']}")
