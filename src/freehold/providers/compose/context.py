"""What the templates of a descriptor see. Pure; called by `content` and `entry`.

`service.name`, `version`, `settings.X`, `ports.NAME`, `needs.NAME.host`, `needs.NAME.ports.PORT`, `needs.NAME.settings.X`, and
`secrets.NAME`: the path of the file in the container, never the value.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from freehold.model import Infra
from freehold.model.descriptors import Need
from freehold.model.services import Service

SAME_COMPUTER = "host.docker.internal"
"""What a container calls its target's own address; needs the entry `extra_hosts` (docs.docker.com, `docker run --add-host`)."""


def context(infra: Infra, service: Service) -> dict[str, Any]:
    """All of it; every machine of the estate has an address."""
    descriptor = service.descriptor
    return {
        "service": {"name": service.name},
        "version": service.version,
        "settings": dict(service.settings),
        "ports": {port.name: port.number for port in descriptor.ports},
        "needs": {
            need.name: _needed(infra, service, need, needed) for need, needed in met(infra, service)
        },
        "secrets": {secret.name: secret.path for secret in descriptor.secrets},
    }


def met(infra: Infra, service: Service) -> Iterator[tuple[Need, Service]]:
    """What it needs, and the service that meets each."""
    for need in service.descriptor.needs:
        needed = infra.service(service.needs.get(need.name, ""))
        if needed is not None:
            yield need, needed


def on_same_network(service: Service, needed: Service) -> bool:
    """Whether the two meet in a network of Docker's: the one calls the other by its name."""
    beside = service.target == needed.target and needed.as_container
    return beside and not on_host_network(service) and not on_host_network(needed)


def on_host_network(service: Service) -> bool:
    """Whether it shares the network of its target."""
    container = service.descriptor.container
    return container is None or container.host_network


def calls_its_computer(infra: Infra, service: Service) -> bool:
    """Whether it needs something of its own target that is in no network of Docker's."""
    return not on_host_network(service) and any(
        needed.target == service.target and on_host_network(needed)
        for _, needed in met(infra, service)
    )


def target_address(infra: Infra, target: str) -> str:
    """Where others reach what a target has published: an IP address or a DNS name."""
    if (host := infra.host(target)) is not None:
        return host.address
    machine = infra.machine(target)
    assert machine is not None, target
    assert machine.address is not None, target
    return str(machine.address)


def _needed(infra: Infra, service: Service, need: Need, needed: Service) -> Mapping[str, Any]:
    numbers = {port.name: port.number for port in need.used(needed.descriptor)}
    if on_same_network(service, needed):
        host = needed.name
    elif service.target == needed.target:
        host = "127.0.0.1" if on_host_network(service) else SAME_COMPUTER
    else:
        host = target_address(infra, needed.target)
    if not on_same_network(service, needed) and not on_host_network(needed):
        numbers = {name: needed.published.get(name, number) for name, number in numbers.items()}
    return {"host": host, "ports": numbers, "settings": dict(needed.settings)}
