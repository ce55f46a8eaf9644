"""A domain's bridge: its /24, with DHCP for what declares no address, DNS, and NAT as the way out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Interface, IPv4Network
from typing import Any

from freehold.model import Domain
from freehold.model.addresses import FIRST_DHCP_HOST, LAST_DHCP_HOST, host
from freehold.model.transfer import Transfer
from freehold.planning.address import HOST, Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Fields, Impact, Kind, Observed
from freehold.providers.incus.marks import DOMAIN, ESTATE, declared, owner
from freehold.providers.incus.objects import ApiObject, delete, fields_of, object_steps
from freehold.providers.incus.under_way import is_half_made
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus, IncusError, IncusInterrupted


def impact_of(path: str, fields: Fields) -> Impact:
    """A bridge that Incus gave up half-way (`status`) can only be made anew; everything else is changed in place."""
    return Impact.RECREATE if path == "status" else Impact.LIVE


KIND = Kind(name="bridge", rank=1, impact_of=impact_of)


UNFINISHED = "unfinished"
_BARE = {"ipv4.address": "none", "ipv6.address": "none"}
_VANISHED_INTERFACE = "Failed to delete bridge children interfaces"


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


def desired_transfer(transfer: Transfer) -> Desired:
    """The bridge on which the host hands packets to the machine between the domains; nobody else is on it.

    Nothing is given out there: without DHCP and DNS no process of Incus listens on it.
    """
    config = {
        "dns.mode": "none",
        "ipv4.address": f"{transfer.host}/{transfer.subnet.prefixlen}",
        "ipv4.dhcp": "false",
        "ipv4.nat": "false",
        "ipv6.address": "none",
    }
    return Desired(
        address=bridge_address(HOST),
        fields={
            "name": transfer.bridge,
            "description": f"Packets between domains, for {transfer.key}",
            "config": config,
        },
        claims=frozenset({str(transfer.subnet)}),
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
            **({"status": "given up"} if given_up else {}),
            **({UNFINISHED: "true"} if is_half_made(raw, estate) and not given_up else {}),
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


def bridge_steps(incus: Incus, estate: str, change: Change, turn: asyncio.Lock) -> Sequence[Step]:
    """How a bridge comes, changes or goes; `turn` is the server's, for what it does one after the other."""
    name = fields_of(change)["name"]
    target = ApiObject(noun="bridge", collection="/networks", name=name)
    steps = []
    if change.action in (Action.DELETE, Action.REPLACE):
        steps.append(_in_turn(delete(incus, target), turn))
    if change.action in (Action.CREATE, Action.REPLACE):
        steps += _creation(incus, estate, change, target, turn)
    if change.action is Action.UPDATE:
        steps += [_finish(incus, target)] if _is_unfinished(change) else []
        steps += [_letting_go(incus, target)] if change.lets_go else []
        steps += object_steps(incus, estate, change, target)
    return [_tolerant(step) for step in steps]


def _creation(
    incus: Incus, estate: str, change: Change, target: ApiObject, turn: asyncio.Lock
) -> list[Step]:
    """A bare bridge first, its addresses then.

    Incus makes bridges one after the other and waits half a second for each one's dnsmasq; it changes many at once.
    """
    bare = replace(change, action=Action.CREATE, desired={**fields_of(change), "config": _BARE})
    [create] = object_steps(incus, estate, bare, target, {"type": "bridge"})
    [update] = object_steps(incus, estate, replace(change, action=Action.UPDATE), target)
    return [_in_turn(create, turn), replace(update, description=f"give {target} its addresses")]


def _is_unfinished(change: Change) -> bool:
    return any(field.path == UNFINISHED for field in change.fields)


def _finish(incus: Incus, target: ApiObject) -> Step:
    """Have Incus take a bridge for made whose interface it had made when it was killed.

    Until then Incus only notes changes of it, and deleting it would leave the interface behind; no request of the public
    API gets it out of that state. This is what `incus admin sql` does; 1 is "created" (internal/server/db/networks.go).
    """

    async def run(report: Report) -> None:
        # The name is one that model.names made: letters, digits and hyphens. Bridges live in the first project.
        ours = f"(SELECT id FROM networks WHERE name = '{target.name}' AND project_id = 1)"  # noqa: S608
        for query in (
            f"UPDATE networks_nodes SET state = 1 WHERE network_id IN {ours}",  # noqa: S608
            f"UPDATE networks SET state = 1 WHERE id IN {ours}",  # noqa: S608
        ):
            await incus.send("POST", "/internal/sql", {"database": "global", "query": query})

    return Step(f"finish {target}", run)


def _in_turn(step: Step, turn: asyncio.Lock) -> Step:
    async def run(report: Report) -> None:
        async with turn:
            await step.run(report)

    return replace(step, run=run)


def _tolerant(step: Step) -> Step:
    """Incus 6.0 trips over interfaces of machines that start or stop meanwhile: another try is worth it."""

    async def run(report: Report) -> None:
        try:
            await step.run(report)
        except IncusError as error:
            if _VANISHED_INTERFACE not in error.message:
                raise
            raise IncusInterrupted(error.request, error.message) from error

    return replace(step, run=run)


def _letting_go(incus: Incus, target: ApiObject) -> Step:
    """Two bridges cannot have one subnet for even a moment: dnsmasq would not start."""

    async def run(report: Report) -> None:
        current = await incus.get(target.path)
        config = {k: v for k, v in current["config"].items() if not k.startswith("ipv4.")}
        body = {**current, "config": {**config, "ipv4.address": "none"}}
        await incus.send("PUT", target.path, body)

    return Step(f"free the subnet of {target}", run, lets_go=True)
