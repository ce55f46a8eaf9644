"""How a service is in a network: of its own, of its target, or of another service. Pure; called by `entry`.

Who shares the network of another has none of what belongs to one: its ports and networks stand at the other's entry.
"""

from collections.abc import Iterator
from typing import Any

from freehold.model import Infra
from freehold.model.services import Service
from freehold.wiring.addresses import (
    SAME_COMPUTER,
    calls_its_computer,
    connected,
    guests,
    home,
    on_host_network,
    on_same_network,
)

OF_SERVICE = "service:"
"""Before the name of the service whose network it is (compose-spec, 05-services.md, `network_mode`)."""


def networking(infra: Infra, service: Service) -> Iterator[tuple[str, Any]]:
    """The keys of its entry."""
    host = home(infra, service)
    if host.name != service.name:
        yield "network_mode", f"{OF_SERVICE}{host.name}"
        return
    if on_host_network(infra, service):
        yield "network_mode", "host"
        return
    within = [service, *guests(infra, service)]
    yield "networks", networks_of(infra, service)
    yield "ports", [port for each in within for port in _ports(each)]
    if any(calls_its_computer(infra, each) for each in within):
        yield "extra_hosts", [f"{SAME_COMPUTER}:host-gateway"]


def networks_of(infra: Infra, service: Service) -> list[str]:
    """Those of its own ports and of the ports that it uses beside it; and those of the services that have its network."""
    if on_host_network(infra, service) or home(infra, service).name != service.name:
        return []
    within = [service, *guests(infra, service)]
    beside = (
        port
        for each in within
        for other, port in connected(infra, each)
        if on_same_network(infra, each, other)
    )
    own = (port for each in within for port in each.descriptor.ports)
    return sorted({port.network for port in (*own, *beside)})


def _ports(service: Service) -> Iterator[str]:
    for port in service.descriptor.ports:
        if port.name in service.published:
            address = "0.0.0.0:" if port.ipv4_only else ""
            yield f"{address}{service.published[port.name]}:{port.number}/{port.protocol.value}"
