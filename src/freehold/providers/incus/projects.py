"""A domain's Incus project: profiles and volumes of its own; images and bridges are shared with `default`."""

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.model import Domain
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.incus.marks import ESTATE, declared, owner
from freehold.providers.incus.objects import ApiObject, fields_of, object_steps
from freehold.providers.protocol import Step
from freehold.system.incus.api import Incus

KIND = Kind(name="project", rank=0)

_FEATURES = {
    "features.images": "false",
    "features.networks": "false",
    "features.networks.zones": "false",
    "features.profiles": "true",
    "features.storage.buckets": "true",
    "features.storage.volumes": "true",
}


def project_address(domain: str) -> Address:
    """The address of a domain's project."""
    return Address(domain, KIND.name)


def desired_project(domain: Domain) -> Desired:
    """The project that a domain wants."""
    return Desired(
        address=project_address(domain.name),
        fields={"name": domain.name, "description": domain.description, "config": _FEATURES},
    )


def observed_project(estate: str, raw: Mapping[str, Any], foreign: Sequence[str] = ()) -> Observed:
    """A project as `GET /projects?recursion=1` lists it; `foreign` are the things in it that are not ours."""
    name, config = raw["name"], raw["config"]
    return Observed(
        address=project_address(name),
        fields={"name": name, "description": raw["description"], "config": declared(config)},
        owned=owner(config) == estate,
        owner=owner(config),
        adopt=f"incus project set {name} {ESTATE}={estate}",
        foreign=tuple(foreign),
    )


def project_steps(incus: Incus, estate: str, change: Change) -> Sequence[Step]:
    """How a project comes, changes or goes."""
    name = fields_of(change)["name"]
    target = ApiObject(noun="project", collection="/projects", name=name)
    return object_steps(incus, estate, change, target)
