"""Under which names people reach services, and by which proxy. Pure; for `estate`."""

from collections.abc import Iterator
from typing import Any

from freehold.model import Infra
from freehold.model.descriptors import PortOffer, Reach
from freehold.model.services import Service
from freehold.wiring.addresses import address_of, host_of, number_of, target_address

_PLAIN = "http"


def routes(infra: Infra, service: Service) -> list[dict[str, Any]]:
    """What this service serves under its names: as in `exposures`, and `upstream`, HOST:PORT."""
    return [
        {
            **_exposure(infra, other, port),
            "upstream": address_of(infra, service, other, port),
        }
        for other, port in _exposed(infra)
        if other.name in service.serves
    ]


def exposures(infra: Infra) -> list[dict[str, Any]]:
    """Every service with a name for people: `host`, `service`, `kind`, `target`, `scheme` (of the service itself), `public`, `auth`,
    `ingress` (the service that serves it, None where nobody does).
    """
    return [_exposure(infra, other, port) for other, port in _exposed(infra)]


def ingress(infra: Infra, service: Service) -> dict[str, Any] | None:
    """The proxy that serves names, the one on the same target before others: `service`, `target`, `address` (of its target), and as
    this service sees it `host`, `ports` and `addresses` (HOST:PORT).
    """
    able = [each for each in infra.services if Reach.EXPOSED in each.descriptor.reaches]
    if not able:
        return None
    found = next((each for each in able if each.target == service.target), able[0])
    ports = found.descriptor.ports
    return {
        "service": found.name,
        "target": found.target,
        "address": target_address(infra, found.target),
        "host": host_of(infra, service, found),
        "ports": {port.name: number_of(infra, service, found, port) for port in ports},
        "addresses": {port.name: address_of(infra, service, found, port) for port in ports},
    }


def _exposed(infra: Infra) -> Iterator[tuple[Service, PortOffer]]:
    for service in infra.services:
        exposes = service.descriptor.exposes
        port = service.descriptor.port(exposes) if exposes and service.expose else None
        if port is not None:
            yield service, port


def _exposure(infra: Infra, service: Service, port: PortOffer) -> dict[str, Any]:
    assert service.expose is not None, service.name
    served_by = next((each.name for each in infra.services if service.name in each.serves), None)
    return {
        "host": service.expose.host,
        "service": service.name,
        "kind": service.descriptor.name,
        "target": service.target,
        "scheme": port.scheme or _PLAIN,
        "public": service.expose.public,
        "auth": service.expose.login.value,
        "ingress": served_by,
    }
