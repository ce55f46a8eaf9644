"""Where a service reaches another: by name in a network of Docker's, on its own computer, or at the other's. Pure.

Read by all of this folder, and by `providers.compose` for the networks and ports that make it so.
"""

from collections.abc import Iterator

from freehold.model import Infra
from freehold.model.descriptors import Need, PortOffer
from freehold.model.services import Service

SAME_COMPUTER = "host.docker.internal"
"""What a container calls its target's own address; needs the entry `extra_hosts` (docs.docker.com, `docker run --add-host`)."""

ITSELF = "127.0.0.1"


def met(infra: Infra, service: Service) -> Iterator[tuple[Need, Service]]:
    """What it needs, and the service that meets each."""
    for need in service.descriptor.needs:
        needed = infra.service(service.needs.get(need.name, ""))
        if needed is not None:
            yield need, needed


def connected(infra: Infra, service: Service) -> Iterator[tuple[Service, PortOffer]]:
    """Every service that it connects to, and the port: what it needs, and what it `reaches`."""
    for need, needed in met(infra, service):
        for port in need.used(needed.descriptor):
            yield needed, port
    for other, port in reached(infra, service):
        yield other, port


def reached(infra: Infra, service: Service) -> Iterator[tuple[Service, PortOffer]]:
    """What it connects to because of what it is."""
    for name, ports in service.reaches.items():
        other = infra.service(name)
        for port in other.descriptor.ports if other else ():
            if other is not None and port.name in ports:
                yield other, port


def home(infra: Infra, service: Service) -> Service:
    """The service whose network it has: its own, or that of another (`network_of`), which may have that of a third."""
    container = service.descriptor.container
    if container is None or container.network_of is None:
        return service
    other = infra.service(service.needs.get(container.network_of, ""))
    return home(infra, other) if other else service


def guests(infra: Infra, service: Service) -> list[Service]:
    """The others that have its network."""
    return [
        other
        for other in infra.services
        if other.name != service.name and home(infra, other).name == service.name
    ]


def on_host_network(infra: Infra, service: Service) -> bool:
    """Whether it has the network of its target."""
    container = home(infra, service).descriptor.container
    return container is None or container.host_network


def on_same_network(infra: Infra, service: Service, other: Service) -> bool:
    """Whether the two meet in a network of Docker's: the one calls the other by its name."""
    beside = service.target == other.target
    return beside and not on_host_network(infra, service) and not on_host_network(infra, other)


def calls_its_computer(infra: Infra, service: Service) -> bool:
    """Whether it connects to something of its own target that is in no network of Docker's."""
    return not on_host_network(infra, service) and any(
        other.target == service.target and on_host_network(infra, other)
        for other, _ in connected(infra, service)
    )


def host_of(infra: Infra, service: Service, other: Service) -> str:
    """Where it reaches the other: a name or an IP address."""
    if home(infra, service).name == home(infra, other).name:
        return ITSELF
    if on_same_network(infra, service, other):
        return home(infra, other).name
    if service.target == other.target:
        return ITSELF if on_host_network(infra, service) else SAME_COMPUTER
    return target_address(infra, other.target)


def number_of(infra: Infra, service: Service, other: Service, port: PortOffer) -> int:
    """By which number it reaches a port of the other."""
    beside = on_same_network(infra, service, other) or service.name == other.name
    if beside or on_host_network(infra, other):
        return port.number
    return other.published.get(port.name, port.number)


def address_of(infra: Infra, service: Service, other: Service, port: PortOffer) -> str:
    """HOST:PORT; an IPv6 address stands in brackets."""
    host = host_of(infra, service, other)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{number_of(infra, service, other, port)}"


def target_address(infra: Infra, target: str) -> str:
    """Where others reach what a target has open: an IP address or a DNS name."""
    if (host := infra.host(target)) is not None:
        return host.address
    machine = infra.machine(target)
    assert machine is not None, target
    assert machine.address is not None, target
    return str(machine.address)
