"""The computer behind an Incus server, and what lives on it: for the plan's question whether the estate fits.

Loaded by `provider.py` when a plan makes or enlarges something, or somebody wants the table.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from freehold.model import Infra, Machine, MachineType
from freehold.model.computer import Computer, Pool
from freehold.planning.capacity import NOTHING, Capacity, Taker
from freehold.planning.capacity_demand import (
    Demand,
    demand_of,
    machine_demand,
    services_memory,
    size_in_bytes,
)
from freehold.providers.incus.cards import cards_of
from freehold.providers.incus.hardware import Hardware
from freehold.providers.incus.instances import API_TYPES, instance_address
from freehold.providers.incus.observe import Raw, Server
from freehold.providers.incus.volumes import volume_address
from freehold.system.incus.api import Incus, IncusError

_RUNNING = "Running"


async def capacity_of(
    incus: Incus,
    infra: Infra,
    server: Server,
    hardware: Hardware,
    card_memory: Callable[[Iterable[str]], Mapping[str, int]] | None = None,
) -> Capacity:
    """The computer with all that is to live on it. Raises BackendError, but not for what it does not tell."""
    takers = tuple(takers_of(infra, server))
    try:
        computer = computer_of(await hardware.read())
        if card_memory and any(taker.wanted and taker.wanted.vram for taker in takers):
            computer = await asyncio.to_thread(_with_memory, computer, card_memory)
        pools = await _pools(incus, infra.storage if infra.storage in server.volumes else None)
    except IncusError as error:
        return Capacity(pool=infra.storage, takers=takers, reason=error.message)
    return Capacity(pool=infra.storage, takers=takers, computer=replace(computer, pools=pools))


async def _pools(incus: Incus, name: str | None) -> dict[str, Pool]:
    """The estate's pool; nothing when there is none yet, which is an obstacle of its own."""
    if name is None:
        return {}
    space = (await incus.get(f"/storage-pools/{name}/resources"))["space"]
    return {name: Pool(total=space["total"], used=space.get("used", 0))}


def computer_of(resources: Mapping[str, Any]) -> Computer:
    """What `GET /1.0/resources` answers, without its pools."""
    return Computer(
        threads=resources["cpu"]["total"],
        memory=resources["memory"]["total"],
        cards=cards_of(resources),
    )


def _with_memory(
    computer: Computer, card_memory: Callable[[Iterable[str]], Mapping[str, int]]
) -> Computer:
    """The cards with what their drivers tell; that may take a second."""
    known = card_memory([card.pci for card in computer.cards])
    cards = tuple(replace(card, memory=known.get(card.pci)) for card in computer.cards)
    return replace(computer, cards=cards)


def takers_of(infra: Infra, server: Server) -> list[Taker]:
    """The declared machines with what they are now, and everybody else's machines and volumes on the server."""
    volumes = _volumes(infra, server)
    raw = {(each["project"], each["name"]): each for each in server.instances}
    takers = []
    for domain in infra.domains:
        for machine in domain.machines:
            services = services_memory(infra, machine.key)
            wanted = machine_demand(domain, machine, services)
            seen = raw.pop((domain.name, machine.instance), None)
            takers.append(_taker(machine, wanted, seen, _own(machine, volumes), services))
    others = [_other(each, infra.storage) for each in raw.values()]
    return [*takers, *others, *_loose(volumes)]


def _taker(
    machine: Machine,
    wanted: Demand,
    raw: Raw | None,
    volumes: Mapping[str, int],
    services: int,
) -> Taker:
    present = _present(raw, volumes, wanted, services) if raw else _only_volumes(volumes)
    address = instance_address(machine.domain, machine.name)
    return Taker(address=address, wanted=wanted, present=present)


def _volumes(infra: Infra, server: Server) -> dict[tuple[str, str], int]:
    """The sizes of the pool's volumes, by project and name; snapshots of them share their room."""
    return {
        (each["project"], each["name"]): size_in_bytes(each["config"].get("size", ""))
        for each in server.volumes.get(infra.storage, ())
        if "/" not in each["name"]
    }


def _own(machine: Machine, volumes: dict[tuple[str, str], int]) -> dict[str, int]:
    """The sizes of the machine's volumes that exist; they are taken out of `volumes`."""
    names = {
        volume.name: (machine.domain, machine.volume_name(volume)) for volume in machine.volumes
    }
    return {name: volumes.pop(key) for name, key in names.items() if key in volumes}


def _present(raw: Raw, volumes: Mapping[str, int], wanted: Demand, services: int) -> Demand:
    """What Incus knows nothing of (memory of a card, of services) counts as taken by a machine that is there."""
    devices = raw["expanded_devices"]
    has_card = any(device.get("type") == "gpu" for device in devices.values())
    gpu = wanted.gpu if has_card else None
    config = raw["expanded_config"]
    return demand_of(
        config, devices, is_vm=_is_vm(raw), volumes=volumes, gpu=gpu, services=services
    )


def _only_volumes(volumes: Mapping[str, int]) -> Demand | None:
    """A machine that is gone while its volumes stay."""
    return replace(NOTHING, disks=volumes) if volumes else None


def _other(raw: Raw, pool: str) -> Taker:
    """A machine that infra.yml does not name: one that is stopped takes room on the disk alone."""
    demand = demand_of(raw["expanded_config"], raw["expanded_devices"], is_vm=_is_vm(raw))
    if raw["status"] != _RUNNING:
        demand = replace(demand, cpus=0, memory=0)
    if not any(_is_root_in(pool, device) for device in raw["expanded_devices"].values()):
        demand = replace(demand, disks={})
    name = raw["name"].removeprefix(f"{raw['project']}-")
    return Taker(address=instance_address(raw["project"], name), present=demand)


def _is_root_in(pool: str, device: Mapping[str, str]) -> bool:
    return device.get("path") == "/" and device.get("pool") == pool


def _loose(volumes: Mapping[tuple[str, str], int]) -> Iterator[Taker]:
    for (project, name), size in volumes.items():
        if size:
            yield Taker(
                address=volume_address(project, name), present=replace(NOTHING, disks={name: size})
            )


def _is_vm(raw: Raw) -> bool:
    return bool(raw["type"] == API_TYPES[MachineType.VM])
