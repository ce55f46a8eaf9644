"""What stands in the boxes of the picture: domains with machines, hosts with services. Pure; `boxes` gives it room."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freehold.model import Domain, Host, Infra, Machine
from freehold.operations.graph.words import (
    domain_facts,
    host_facts,
    host_kind,
    machine_facts,
    ordered,
    service_facts,
    services_of,
    trust_in_words,
)

if TYPE_CHECKING:
    from freehold.model.services import Service


@dataclass(frozen=True, slots=True)
class Entry:
    """A machine, or a service on a host. `style` are classes of the style sheet, `said` is for who does not see."""

    title: str
    style: str
    said: str
    description: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A domain or a host. `lines` stand below its name, `empty` instead of entries; `leads_out`: its way out is this computer."""

    name: str
    style: str
    lines: tuple[str, str]
    said: str
    description: str
    empty: str
    entries: tuple[Entry, ...]
    leads_out: bool


def contents(infra: Infra, marks: Mapping[str, str]) -> list[Content]:
    """The domains, the most trusted first, and then the hosts. `marks` are texts at the foot of machines, by `domain/machine`."""
    domains = [_domain(infra, domain, marks) for domain in ordered(infra)]
    return [*domains, *(_host(infra, host) for host in infra.hosts)]


def _domain(infra: Infra, domain: Domain, marks: Mapping[str, str]) -> Content:
    lines = trust_in_words(domain), domain_facts(domain)
    machines = sorted(domain.machines, key=lambda machine: machine.name)
    return Content(
        name=domain.name,
        style=f"domain {domain.trust.value}",
        lines=lines,
        said=f"Domain {domain.name}, {', '.join(lines)}",
        description=domain.description,
        empty="no machines",
        entries=tuple(_machine(each, services_of(infra, each.key), marks) for each in machines),
        leads_out=True,
    )


def _machine(machine: Machine, services: "Iterable[Service]", marks: Mapping[str, str]) -> Entry:
    facts = [*machine_facts(machine)]
    for service in services:
        first, *more = service_facts(service)
        facts += [f"service {service.name}: {first}", *(f"↳ {fact}" for fact in more)]
    if mark := marks.get(machine.key):
        facts.append(mark)
    return Entry(
        title=machine.name,
        style=f"machine {machine.type.value}",
        said=f"Machine {machine.key}, {', '.join(facts)}",
        description=machine.description,
        facts=tuple(facts),
    )


def _host(infra: Infra, host: Host) -> Content:
    lines = host_kind(host), host_facts(host)
    return Content(
        name=host.name,
        style="computer",
        lines=lines,
        said=f"Host {host.name}, {', '.join(lines)}",
        description=host.description,
        empty="no services",
        entries=tuple(_service(each) for each in services_of(infra, host.key)),
        leads_out=False,
    )


def _service(service: "Service") -> Entry:
    facts = service_facts(service)
    return Entry(
        title=service.name,
        style="service",
        said=f"Service {service.name}, {', '.join(facts)}",
        description=service.descriptor.description,
        facts=tuple(facts),
    )
