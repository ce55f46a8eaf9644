"""`estate` in templates: what one service has to know of all others, with addresses as it sees them. Pure.

Made by `context` for each service; of a template that does not ask for it nothing is worked out.
"""

from functools import cached_property
from typing import Any

from freehold.model import Infra
from freehold.model.services import Service
from freehold.wiring import inhibitions, routes, scrapes
from freehold.wiring.addresses import target_address


class Estate:
    """The estate from where one of its services stands. Its values are lists and mappings as they go into YAML."""

    def __init__(self, infra: Infra, service: Service) -> None:
        self._infra = infra
        self._service = service

    @property
    def name(self) -> str:
        """That of infra.yml."""
        return self._infra.name

    @property
    def telegram(self) -> dict[str, Any] | None:
        """`chat` and `api`; None when nobody is told."""
        alerting = self._infra.alerting
        told = alerting.telegram if alerting else None
        return {"chat": told.chat, "api": told.api} if told else None

    @cached_property
    def targets(self) -> list[dict[str, Any]]:
        """Hosts and machines on which something runs: `name`, `address`, `services`."""
        placed: dict[str, list[str]] = {}
        for service in self._infra.services:
            placed.setdefault(service.target, []).append(service.name)
        return [
            {"name": name, "address": target_address(self._infra, name), "services": services}
            for name, services in sorted(placed.items())
        ]

    @cached_property
    def scrapes(self) -> list[dict[str, Any]]:
        """See `scrapes.scrapes`."""
        return scrapes.scrapes(self._infra, self._service)

    @cached_property
    def probes(self) -> list[dict[str, Any]]:
        """See `scrapes.probes`."""
        return scrapes.probes(self._infra, self._service)

    @cached_property
    def names(self) -> list[dict[str, Any]]:
        """See `scrapes.names`."""
        return scrapes.names(self._infra, self._service)

    @cached_property
    def routes(self) -> list[dict[str, Any]]:
        """See `routes.routes`."""
        return routes.routes(self._infra, self._service)

    @cached_property
    def exposures(self) -> list[dict[str, Any]]:
        """See `routes.exposures`."""
        return routes.exposures(self._infra)

    @cached_property
    def ingress(self) -> dict[str, Any] | None:
        """See `routes.ingress`."""
        return routes.ingress(self._infra, self._service)

    @cached_property
    def rules(self) -> list[dict[str, Any]]:
        """See `rules.rules`."""
        from freehold.wiring.rules import rules  # brings Jinja

        return rules(self._infra, self._service)

    @cached_property
    def inhibitions(self) -> list[dict[str, Any]]:
        """See `inhibitions.inhibitions`."""
        return inhibitions.inhibitions(self._infra)
