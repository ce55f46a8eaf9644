"""What lab hosts stand on: a project for their names, and a bridge for each network that their addresses lie in.

Pure but for the steps. Addresses are not translated between bridges: a host sees who really talks to it. DNS on the bridges
knows the hosts whose address is a name, and nothing else, so that whoever asks for anything else has an answer at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any
from urllib.parse import quote

from freehold.model import Infra
from freehold.model.played import is_named, played_address, played_network
from freehold.planning.address import HOST, Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.lab_hosts.marks import (
    ESTATE,
    bridge_name,
    declared,
    kept,
    owner,
    project_name,
)
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus, IncusError, IncusInterrupted

PROJECT = Kind(name="lab-project", rank=0)
NETWORK = Kind(name="lab-network", rank=1)
PROJECT_ADDRESS = Address(HOST, PROJECT.name)

_FEATURES = {
    "features.images": "false",
    "features.networks": "false",
    "features.networks.zones": "false",
    "features.profiles": "true",
    "features.storage.buckets": "true",
    "features.storage.volumes": "true",
}
_VANISHED_INTERFACE = "Failed to delete bridge children interfaces"
_COLLECTIONS = {PROJECT.name: "/projects", NETWORK.name: "/networks"}


def network_address(network: IPv4Network) -> Address:
    """The address of a network's bridge: `lab-network:host/203.0.113.0`."""
    return Address(HOST, NETWORK.name, str(network.network_address))


def desired_ground(infra: Infra) -> Iterator[Desired]:
    """The project, and a bridge for every network."""
    name = project_name(infra.name)
    yield Desired(address=PROJECT_ADDRESS, fields={"name": name, "config": _FEATURES})
    addresses = [played_address(host.address) for host in infra.hosts]
    records = sorted(
        f"host-record={host.address},{played_address(host.address)}"
        for host in infra.hosts
        if is_named(host.address)
    )
    for network in sorted({played_network(address) for address in addresses}):
        gateway = f"{_gateway(network, addresses)}/{network.prefixlen}"
        config = {
            "ipv4.address": gateway,
            "ipv4.nat": "false",
            "ipv6.address": "none",
            "raw.dnsmasq": "\n".join(["no-resolv", *records]),
        }
        yield Desired(
            address=network_address(network),
            fields={
                "name": bridge_name(infra.name, str(network.network_address)),
                "config": config,
            },
        )


def _gateway(network: IPv4Network, taken: Iterable[IPv4Address]) -> IPv4Address:
    """The lab's own address on the bridge: `.1` unless a host has it."""
    used = set(taken)
    return next(address for address in network.hosts() if address not in used)


def observed_ground(
    estate: str, projects: Iterable[Mapping[str, Any]], networks: Iterable[Mapping[str, Any]]
) -> Iterator[Observed]:
    """What of an Incus's projects and networks is the estate's, and what stands at the project's name."""
    for raw in projects:
        if raw["name"] == project_name(estate):
            yield _seen(estate, PROJECT_ADDRESS, raw, "project")
    for raw in networks:
        config = raw.get("config") or {}
        if owner(config) == estate and (network := subnet_of(raw)):
            yield _seen(estate, network_address(network), raw, "network")


def _seen(estate: str, address: Address, raw: Mapping[str, Any], noun: str) -> Observed:
    config = raw["config"]
    return Observed(
        address=address,
        fields={"name": raw["name"], "config": declared(config)},
        owned=owner(config) == estate,
        owner=owner(config),
        adopt=f"incus {noun} set {raw['name']} {ESTATE}={estate}",
    )


def subnet_of(raw: Mapping[str, Any]) -> IPv4Network | None:
    """The IPv4 network of a managed bridge, None when it has none."""
    address = (raw.get("config") or {}).get("ipv4.address", "")
    return IPv4Interface(address).network if "/" in address else None


def ground_steps(incus: Incus, estate: str, change: Change) -> Sequence[Step]:
    """How the project or a bridge comes, changes or goes."""
    fields = change.desired if change.desired is not None else change.observed
    assert fields is not None
    collection, name = _COLLECTIONS[change.address.kind], fields["name"]
    path, config = f"{collection}/{quote(name, safe='')}", {**fields["config"], ESTATE: estate}
    what = f"{change.address.kind} {name}"

    async def create(report: Report) -> None:
        kind = {} if change.address.kind == PROJECT.name else {"type": "bridge"}
        await incus.send("POST", collection, {"name": name, "config": config, **kind})

    async def update(report: Report) -> None:
        await _write(incus, path, config)

    async def delete(report: Report) -> None:
        """Incus 6.0 trips over interfaces that go meanwhile, as the other bridge does: another try is worth it."""
        try:
            await incus.send("DELETE", path)
        except IncusError as error:
            if _VANISHED_INTERFACE not in error.message:
                raise
            raise IncusInterrupted(error.request, error.message) from error

    match change.action:
        case Action.DELETE:
            return [Step(f"delete {what}", delete)]
        case Action.CREATE:
            return [Step(f"create {what}", create)]
        case _:
            return [Step(f"update {what}", update)]


async def _write(incus: Incus, path: str, config: Fields) -> None:
    current = await incus.get(path)
    body = {
        "description": current["description"],
        "config": {**kept(current["config"]), **config},
    }
    await incus.send("PUT", path, body)
