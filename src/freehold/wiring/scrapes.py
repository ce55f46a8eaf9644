"""What is measured, and what is looked at from outside: addresses for Prometheus, as the service sees them that asks. Pure; for `estate`."""

from collections.abc import Iterator
from typing import Any

from freehold.model import Infra
from freehold.model.descriptors import PortOffer, Reach, encrypted, looked_at
from freehold.model.services import Service
from freehold.wiring.addresses import ITSELF, address_of

_PLAIN = "http"  # where a port does not say what is spoken on it


def scrapes(infra: Infra, service: Service) -> list[dict[str, Any]]:
    """Each service that tells what it measures, this one too: `service`, `kind`, `target`, `address`, `path`, `scheme`."""
    return [
        {
            **about(other),
            "address": _address(infra, service, other, port),
            "path": other.descriptor.metrics.path if other.descriptor.metrics else "",
            "scheme": port.scheme or _PLAIN,
        }
        for other, port in measured(infra, service)
    ]


def measured(infra: Infra, service: Service) -> Iterator[tuple[Service, PortOffer]]:
    """Those services, with the port."""
    if Reach.METRICS not in service.descriptor.reaches:
        return
    for other in infra.services:
        metrics = other.descriptor.metrics
        port = other.descriptor.port(metrics.port) if metrics else None
        if port and (
            other.name == service.name or port.name in service.reaches.get(other.name, ())
        ):
            yield other, port


def probes(infra: Infra, service: Service) -> list[dict[str, Any]]:
    """What services with `reaches: [probed]` look at: `prober`, `through` (where this service reaches the prober), and of what is
    looked at `service`, `kind`, `target`, `host` (its name for people, where it has one), `url` (as the prober sees it), `module` (how it
    looks: `answers`, as a browser, or `tcp`, whether somebody listens) and `asked` (what the prober is told of it).
    """
    return [
        {
            "prober": prober.name,
            "through": _address(infra, service, prober, prober.descriptor.ports[0]),
            **about(other),
            "host": other.expose.host if other.expose else "",
            **_way_to_look(other, port, _address(infra, prober, other, port)),
        }
        for prober, other, port in probed(infra)
    ]


def probed(infra: Infra) -> Iterator[tuple[Service, Service, PortOffer]]:
    """Who looks at which service, and at which port of it."""
    for prober in _probers(infra):
        for other in infra.services:
            port = looked_at(other.descriptor, is_exposed=other.expose is not None)
            if port and port.name in prober.reaches.get(other.name, ()):
                yield prober, other, port


def _way_to_look(service: Service, port: PortOffer, address: str) -> dict[str, str]:
    if service.expose is None:
        return {"module": "tcp", "asked": address, "url": f"tcp://{address}"}
    url = f"{port.scheme or _PLAIN}://{address}"
    return {"module": "answers", "asked": url, "url": url}


def names(infra: Infra, service: Service) -> list[dict[str, Any]]:
    """The names for people, which the same services look at through the proxy that serves them, with its certificates: as in `probes`,
    but `address` (HOST:PORT of the proxy, as the prober sees it) in place of `url`, and `ingress`, the proxy.
    """
    return [
        {
            "prober": prober.name,
            "through": _address(infra, service, prober, prober.descriptor.ports[0]),
            **about(other),
            "host": other.expose.host if other.expose else "",
            "ingress": ingress.name,
            "address": _address(infra, prober, ingress, port),
        }
        for prober, other, ingress, port in named(infra)
    ]


def named(infra: Infra) -> Iterator[tuple[Service, Service, Service, PortOffer]]:
    """Who looks at which service, through which proxy, and at which port of that."""
    for prober in _probers(infra):
        for ingress in (each for each in infra.services if each.serves):
            port = encrypted(ingress.descriptor)
            if ingress.settings.get("certificates") == "off":  # as the catalog's Caddy has it
                continue
            if port and port.name in prober.reaches.get(ingress.name, ()):
                served = (infra.service(name) for name in ingress.serves)
                yield from ((prober, other, ingress, port) for other in served if other)


def _probers(infra: Infra) -> list[Service]:
    """Who looks; one without a port could not be asked what it saw."""
    every = (each for each in infra.services if Reach.PROBED in each.descriptor.reaches)
    return [each for each in every if each.descriptor.ports]


def about(service: Service) -> dict[str, Any]:
    """The labels by which series and alerts tell services apart."""
    return {"service": service.name, "kind": service.descriptor.name, "target": service.target}


def _address(infra: Infra, service: Service, other: Service, port: PortOffer) -> str:
    if other.name == service.name:
        return f"{ITSELF}:{port.number}"
    return address_of(infra, service, other, port)
