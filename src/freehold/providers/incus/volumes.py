"""Custom storage volumes of machines. They hold what people keep, and outlive the machine's own root disk."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from freehold.model import Domain, Machine, Volume
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.incus.marks import ESTATE, PROTECT, declared, is_protected, owner
from freehold.providers.incus.objects import ApiObject, fields_of, object_steps
from freehold.providers.incus.projects import project_address
from freehold.providers.protocol import Step
from freehold.system.incus.api import Incus

KIND = Kind(name="volume", rank=3, holds_data=True)


def volume_address(domain: str, name: str) -> Address:
    """`name` is the volume's name in Incus, `llm.models`; its address is `volume:homelab/llm/models`."""
    return Address(domain, KIND.name, name.replace(".", "/", 1))


def desired_volumes(domain: Domain, pool: str) -> Iterable[Desired]:
    """The volumes that a domain's machines want."""
    for machine in domain.machines:
        for volume in machine.volumes:
            yield _desired(machine, volume, pool)


def _desired(machine: Machine, volume: Volume, pool: str) -> Desired:
    name = machine.volume_name(volume)
    config = {"size": str(volume.size)} if volume.size else {}
    return Desired(
        address=volume_address(machine.domain, name),
        fields={
            "name": name,
            "pool": pool,
            "description": "",
            "config": config,
            "protect": machine.protect,
        },
        depends_on=frozenset({project_address(machine.domain)}),
        protected=machine.protect,
    )


def observed_volume(estate: str, domain: str, pool: str, raw: Mapping[str, Any]) -> Observed:
    """A volume as `GET /storage-pools/POOL/volumes/custom?recursion=1` lists it."""
    name, config = raw["name"], raw["config"]
    return Observed(
        address=volume_address(domain, name),
        fields={
            "name": name,
            "pool": pool,
            "description": raw["description"],
            "config": declared(config),
            "protect": is_protected(config),
        },
        owned=owner(config) == estate,
        owner=owner(config),
        adopt=f"incus storage volume set --project {domain} {pool} {name} {ESTATE}={estate}",
        depends_on=frozenset({project_address(domain)}),
        protected=is_protected(config),
        unprotect=f"incus storage volume unset --project {domain} {pool} {name} {PROTECT}",
    )


def volume_steps(incus: Incus, estate: str, change: Change) -> Sequence[Step]:
    """How a volume comes, changes or goes."""
    fields = fields_of(change)
    target = ApiObject(
        noun="volume",
        collection=f"/storage-pools/{fields['pool']}/volumes/custom",
        name=fields["name"],
        project=change.address.domain,
    )
    return object_steps(
        incus, estate, change, target, {"type": "custom", "content_type": "filesystem"}
    )
