"""A domain's bridge: its /24, with DHCP for what declares no address, DNS, and NAT as the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network
from typing import Any

from freehold.model import Domain
from freehold.model.addresses import FIRST_DHCP_HOST, LAST_DHCP_HOST, host
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Fields, Impact, Kind, Observed
from freehold.providers.incus.marks import DOMAIN, ESTATE, declared, owner
from freehold.providers.incus.objects import ApiObject, delete, fields_of, object_steps
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus


def impact_of(path: str, fields: Fields) -> Impact:
    """A bridge that Incus gave up half-way (`status`) can only be made anew; everything else is changed in place."""
    return Impact.RECREATE if path == "status" else Impact.LIVE


KIND = Kind(name="bridge", rank=1, impact_of=impact_of)


def bridge_address(domain: str) -> Address:
    """The address of a domain's bridge."""
    return Address(domain, KIND.name)


def desired_bridge(domain: Domain) -> Desired:
    """The bridge that a domain wants. IPv6 is off: nothing here declares IPv6 addresses."""
    subnet = domain.subnet
    config = {
        "ipv4.address": f"{domain.gateway}/{subnet.prefixlen}",
        "ipv4.dhcp.ranges": f"{host(subnet, FIRST_DHCP_HOST)}-{host(subnet, LAST_DHCP_HOST)}",
        "ipv4.nat": "true",
        "ipv6.address": "none",
    }
    return Desired(
        address=bridge_address(domain.name),
        fields={"name": domain.bridge, "description": domain.description, "config": config},
        claims=frozenset({str(subnet)}),
    )


def observed_bridge(
    estate: str, domain: str, raw: Mapping[str, Any], *, given_up: bool = False
) -> Observed:
    """A network as `GET /networks?recursion=1` lists it; `given_up` when its making was broken off."""
    name, config = raw["name"], raw["config"]
    subnet = subnet_of(raw)
    return Observed(
        address=bridge_address(domain),
        fields={
            "name": name,
            "description": raw["description"],
            "config": declared(config),
            **({"status": "half made"} if given_up else {}),
        },
        owned=owner(config) == estate,
        owner=owner(config),
        adopt=f"incus network set {name} {ESTATE}={estate} {DOMAIN}={domain}",
        claims=frozenset({str(subnet)}) if subnet else frozenset(),
    )


def subnet_of(raw: Mapping[str, Any]) -> IPv4Network | None:
    """The IPv4 network of a managed bridge, None when it has none."""
    address = raw["config"].get("ipv4.address", "")
    return IPv4Interface(address).network if "/" in address else None


def bridge_steps(incus: Incus, estate: str, change: Change) -> Sequence[Step]:
    """How a bridge comes, changes or goes."""
    name = fields_of(change)["name"]
    target = ApiObject(noun="bridge", collection="/networks", name=name)
    if change.action is Action.REPLACE:
        making = replace(change, action=Action.CREATE)
        return [delete(incus, target), *bridge_steps(incus, estate, making)]
    steps = object_steps(incus, estate, change, target, {"type": "bridge"})
    if change.lets_go and change.action is Action.UPDATE:
        return [_letting_go(incus, target), *steps]
    return steps


def _letting_go(incus: Incus, target: ApiObject) -> Step:
    """Two bridges cannot have one subnet for even a moment: dnsmasq would not start."""

    async def run(report: Report) -> None:
        current = await incus.get(target.path)
        config = {k: v for k, v in current["config"].items() if not k.startswith("ipv4.")}
        body = {**current, "config": {**config, "ipv4.address": "none"}}
        await incus.send("PUT", target.path, body)

    return Step(f"free the subnet of {target}", run, lets_go=True)
