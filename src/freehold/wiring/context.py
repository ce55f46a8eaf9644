"""What the templates of a descriptor see. Pure; called by `providers.compose`, and by `rules` for the alerts of all services.

`service.name`, `service.target`, `service.host` (the name under which people reach it, else None), `version`, `settings.X`,
`ports.NAME`, `needs.NAME.host`, `needs.NAME.ports.PORT`, `needs.NAME.addresses.PORT` (HOST:PORT), `needs.NAME.settings.X`,
`needs.NAME.calls_back.PORT` (where that one finds a port of this one),
`secrets.NAME`: the path of the file in the container, never the value; and `estate`, see `freehold.wiring.estate`.
"""

from collections.abc import Mapping
from typing import Any

from freehold.model import Infra
from freehold.model.descriptors import Need
from freehold.model.services import Service
from freehold.wiring.addresses import address_of, host_of, met, number_of


def context(infra: Infra, service: Service) -> dict[str, Any]:
    """All of it; every machine of the estate has an address."""
    from freehold.wiring.estate import Estate  # for estates with services alone

    return {**own_context(infra, service), "estate": Estate(infra, service)}


def own_context(infra: Infra, service: Service) -> dict[str, Any]:
    """What is about the service itself. A need that nothing meets, and a secret that infra.yml does not have, are None."""
    descriptor = service.descriptor
    known = {need.name: _needed(infra, service, need, each) for need, each in met(infra, service)}
    return {
        "service": {
            "name": service.name,
            "target": service.target,
            "host": service.expose.host if service.expose else None,
        },
        "version": service.version,
        "settings": dict(service.settings),
        "ports": {port.name: port.number for port in descriptor.ports},
        "needs": {need.name: known.get(need.name) for need in descriptor.needs},
        "secrets": {
            secret.name: secret.path if secret.name in service.secrets else None
            for secret in descriptor.secrets
        },
    }


def _needed(infra: Infra, service: Service, need: Need, needed: Service) -> Mapping[str, Any]:
    used = need.used(needed.descriptor)
    asked = [port for port in service.descriptor.ports if port.name in need.calls_back]
    return {
        "host": host_of(infra, service, needed),
        "ports": {port.name: number_of(infra, service, needed, port) for port in used},
        "addresses": {port.name: address_of(infra, service, needed, port) for port in used},
        "calls_back": {port.name: address_of(infra, needed, service, port) for port in asked},
        "settings": dict(needed.settings),
    }
