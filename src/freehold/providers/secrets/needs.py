"""Which secrets an estate needs, who needs them, and which of them Freehold may generate. Pure; for the provider and `freehold secret`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from freehold.model import Infra
from freehold.model.secrets import named_secrets
from freehold.model.services import Service


@dataclass(frozen=True, slots=True)
class Needed:
    """A secret that infra.yml names. `length` is that of a generated value, None where only its user can know the value.

    `services` are names of services, `places` what `provision.vars` it stands in: `homelab/web`, `defaults`.
    """

    name: str
    length: int | None = None
    services: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def users(self) -> tuple[str, ...]:
        """Who needs it, in words."""
        return (*self.services, *(f"vars of {place}" for place in self.places))


@dataclass(slots=True)
class _Gathered:
    length: int | None = None
    given: bool = False
    services: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


def needed_secrets(infra: Infra) -> dict[str, Needed]:
    """All of them, by name, in the order of names."""
    found: dict[str, _Gathered] = {}
    for service in infra.services:
        for name, length in _of_service(service):
            secret = found.setdefault(name, _Gathered())
            if length is None:
                secret.given = True
            else:
                secret.length = max(length, secret.length or 0)
            if service.name not in secret.services:
                secret.services.append(service.name)
    for place, variables in _variables(infra):
        for name in dict.fromkeys(named_secrets(variables)):
            found.setdefault(name, _Gathered()).places.append(place)
    return {
        name: Needed(
            name, None if each.given else each.length, tuple(each.services), tuple(each.places)
        )
        for name, each in sorted(found.items())
    }


def _of_service(service: Service) -> Iterator[tuple[str, int | None]]:
    """Names, and the length with which each may be generated: None for one that somebody else gives."""
    for need in service.descriptor.secrets:
        if name := service.secrets.get(need.name):
            yield name, need.length if need.generated else None


def _variables(infra: Infra) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every `provision.vars` where it is written: what a machine has from its domain is not told again."""
    yield "every machine", infra.variables
    for domain in infra.domains:
        yield domain.name, _own(domain.variables, infra.variables)
        for machine in domain.machines:
            yield machine.key, _own(machine.provision.vars, domain.variables)
    for host in infra.hosts:
        yield host.name, host.provision.vars


def _own(variables: Mapping[str, object], given: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in variables.items() if given.get(name) != value}


def in_restart_order(infra: Infra, names: Collection[str]) -> list[str]:
    """The services that use one of these secrets, each after those that it needs, as apply goes about them."""
    graph = {service.name: sorted(service.needs.values()) for service in infra.services}
    using = {service.name for service in infra.services if {*service.secrets.values()} & {*names}}
    return [name for name in TopologicalSorter(graph).static_order() if name in using]
