"""A host that the lab plays, as a resource: `lab-host:cortex`. What is wanted of it and what Incus shows. Pure.

With which way in it was delivered counts once: what is changed inside afterwards is the estate's work, never drift. The steps are in
`host_steps.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from freehold.model import Host, Infra
from freehold.model.names import hardware_address
from freehold.model.played import played_address, played_network
from freehold.planning.address import Address
from freehold.planning.resource import Desired, Fields, Impact, Kind, Observed
from freehold.providers.lab_hosts.lab import Packages
from freehold.providers.lab_hosts.marks import (
    DECLARED,
    DELIVERED,
    ESTATE,
    PACKAGES,
    bridge_name,
    declared,
    owner,
    project_name,
    read,
)
from freehold.providers.lab_hosts.networks import PROJECT_ADDRESS, network_address, subnet_of

_NIC = "eth0"

_CONFIG = {
    "security.nesting": "true",
    "security.idmap.isolated": "true",
}
"""What Docker needs inside. Ids of its own, because all other containers of a lab share one user's quota of kernel keys."""


def impact_of(path: str, fields: Fields) -> Impact:
    """Options of the container, and its address, come with a start."""
    return Impact.RESTART if path.startswith(("config.", f"devices.{_NIC}.")) else Impact.LIVE


KIND = Kind(name="lab-host", rank=-1, holds_data=True, carries=True, impact_of=impact_of)


def host_address(name: str) -> Address:
    """The address of a host as the lab plays it."""
    return Address(name, KIND.name)


def desired_hosts(
    infra: Infra, packages: Packages, observed: Mapping[Address, Observed]
) -> Iterator[Desired]:
    """The containers that an estate's hosts are to be."""
    for host in infra.hosts:
        address = host_address(host.name)
        seen = observed.get(address)
        delivered = seen.fields["delivered"] if seen else None
        played = played_address(host.address)
        yield Desired(
            address=address,
            fields={
                "name": host.name,
                "declared": host.address,
                "state": "running",
                "delivered": delivered or _delivered(host),
                "packages": dict(packages.variables),
                "config": dict(_CONFIG),
                "devices": _devices(infra, host, packages),
            },
            depends_on=frozenset({PROJECT_ADDRESS, network_address(played_network(played))}),
            claims=frozenset({str(played)}),
        )


def _delivered(host: Host) -> dict[str, str]:
    """The way in that a host has when it is new: who may log in besides root, and the port."""
    ssh = host.first or host.ssh
    return {"user": ssh.user, "port": str(ssh.port)}


def _devices(infra: Infra, host: Host, packages: Packages) -> dict[str, dict[str, str]]:
    played = played_address(host.address)
    network = str(played_network(played).network_address)
    return {
        "root": {"type": "disk", "path": "/", "pool": infra.storage},
        _NIC: {
            "type": "nic",
            "name": _NIC,
            "network": bridge_name(infra.name, network),
            "ipv4.address": str(played),
            "hwaddr": hardware_address(infra.name, host.name),
        },
        **{name: dict(device) for name, device in packages.devices.items()},
    }


def observed_hosts(
    estate: str, instances: list[Mapping[str, Any]], networks: list[Mapping[str, Any]]
) -> Iterator[Observed]:
    """The containers of the estate's project. `networks` tell which bridge has which addresses."""
    subnets = {raw["name"]: subnet_of(raw) for raw in networks}
    for raw in instances:
        if raw["project"] != project_name(estate):
            continue
        config, devices, name = raw["config"], raw["devices"], raw["name"]
        nic = devices.get(_NIC, {})
        network, address = subnets.get(nic.get("network", "")), nic.get("ipv4.address")
        yield Observed(
            address=host_address(name),
            fields={
                "name": name,
                "declared": config.get(DECLARED, ""),
                "state": raw["status"].lower(),
                "delivered": read(config.get(DELIVERED)),
                "packages": read(config.get(PACKAGES)),
                "config": declared(config),
                "devices": devices,
            },
            owned=owner(config) == estate,
            owner=owner(config),
            adopt=f"incus config set --project {raw['project']} {name} {ESTATE}={estate}",
            depends_on=frozenset(
                {PROJECT_ADDRESS, *([network_address(network)] if network else [])}
            ),
            claims=frozenset({address} if address else ()),
        )
