"""The profiles of a domain's project: `default` (root disk and eth0), the built-in ones it needs, those that infra.yml adds."""

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.model import Domain, Profile
from freehold.model.computer import Card
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.incus.bridges import bridge_address
from freehold.providers.incus.built_in import built_in_profiles
from freehold.providers.incus.marks import ESTATE, declared, owner
from freehold.providers.incus.objects import ApiObject, fields_of, object_steps
from freehold.providers.incus.projects import project_address
from freehold.providers.protocol import Step
from freehold.system.incus.api import Incus

KIND = Kind(name="profile", rank=2)
DEFAULT = "default"
_OWN_ADDRESS_ONLY = {
    "security.mac_filtering": "true",
    "security.ipv4_filtering": "true",
}


def profile_address(domain: str, name: str) -> Address:
    """The address of a profile of a domain's project."""
    return Address(domain, KIND.name, name)


def network_device(domain: Domain) -> dict[str, str]:
    """eth0 on the domain's bridge, from which nothing goes out but what carries the address it was given."""
    return {"type": "nic", "name": "eth0", "network": domain.bridge, **_OWN_ADDRESS_ONLY}


def default_devices(domain: Domain, pool: str) -> dict[str, dict[str, str]]:
    """What every machine of a domain has: a root disk in the pool and eth0 on the domain's bridge."""
    return {
        "eth0": network_device(domain),
        "root": {"type": "disk", "path": "/", "pool": pool},
    }


def desired_profiles(domain: Domain, pool: str, cards: Sequence[Card] = ()) -> list[Desired]:
    """The profiles that a domain wants, `default` first. `cards` are those of the computer."""
    default = Profile(name=DEFAULT, devices=default_devices(domain, pool))
    needs_bridge = frozenset({project_address(domain.name), bridge_address(domain.name)})
    needs_project = frozenset({project_address(domain.name)})
    return [
        _desired(domain.name, default, needs_bridge),
        *(
            _desired(domain.name, profile, needs_project)
            for profile in (*built_in_profiles(domain, cards), *domain.profiles)
        ),
    ]


def _desired(domain: str, profile: Profile, needs: frozenset[Address]) -> Desired:
    return Desired(
        address=profile_address(domain, profile.name),
        fields={
            "name": profile.name,
            "description": profile.description,
            "config": profile.config,
            "devices": profile.devices,
        },
        depends_on=needs,
    )


def observed_profile(
    estate: str, domain: str, raw: Mapping[str, Any], profile: Profile | None = None
) -> Observed | None:
    """A profile as Incus lists it; None for an unmarked `default`, which Incus made with the project.

    `profile` is what infra.yml says of it.
    """
    name, config = raw["name"], raw["config"]
    if name == DEFAULT and owner(config) is None:
        return None
    return Observed(
        address=profile_address(domain, name),
        fields={
            "name": name,
            "description": raw["description"],
            "config": declared(config, profile.config if profile else ()),
            "devices": raw["devices"],
        },
        owned=owner(config) == estate,
        owner=owner(config),
        adopt=f"incus profile set --project {domain} {name} {ESTATE}={estate}",
        depends_on=_used(domain, raw["devices"]),
    )


def _used(domain: str, devices: Mapping[str, Mapping[str, str]]) -> frozenset[Address]:
    uses_bridge = any("network" in device for device in devices.values())
    bridge = {bridge_address(domain)} if uses_bridge else set()
    return frozenset({project_address(domain), *bridge})


def profile_steps(incus: Incus, estate: str, change: Change) -> Sequence[Step]:
    """How a profile comes, changes or goes."""
    name = fields_of(change)["name"]
    target = ApiObject(
        noun="profile",
        collection="/profiles",
        name=name,
        project=change.address.domain,
        preexists=name == DEFAULT,
    )
    return object_steps(incus, estate, change, target)
