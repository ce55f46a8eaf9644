"""What the picture shows, before it has a shape: places with their machines and services. Pure; called by `picture`."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.views.ui.marks import domain_mark, host_mark, machine_mark, service_mark, worst

DENSE = 40
"""Machines of an estate; with more, each is a small square instead of a line."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A service: what is drawn as a line of its own, and where arrows begin and end."""

    name: str
    mark: str
    host: str = ""
    public: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A machine of a domain (or the whole of a host) with its services."""

    name: str
    mark: str
    fact: str
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A box: a host, or a domain. `mark` is the worst of its own and of all that is in it. `dots` are its machines where there are too many for lines."""

    name: str
    mark: str
    fact: str
    kind: str
    groups: tuple[Group, ...] = ()
    dots: tuple[tuple[str, str], ...] = ()
    spots: tuple[Spot, ...] = ()


def places(document: Mapping[str, Any], trust: Callable[[str], str] = str) -> list[Place]:
    """Hosts first, then domains; in the order of the document. `trust` puts that of a domain into words."""
    services: defaultdict[str, list[Spot]] = defaultdict(list)
    for each in document["services"]:
        services[each["on"]].append(_spot(each))
    dense = len(document["machines"]) > DENSE
    return [*_hosts(document, services), *_domains(document, services, dense, trust)]


def _spot(service: Mapping[str, Any]) -> Spot:
    exposed = service["exposed"] or {}
    return Spot(
        name=service["name"],
        mark=service_mark(service),
        host=exposed.get("host", ""),
        public=exposed.get("public", False),
        needs=tuple(service["needs"]),
    )


def _hosts(document: Mapping[str, Any], services: Mapping[str, Sequence[Spot]]) -> Iterator[Place]:
    for host in document["hosts"]:
        spots = tuple(services.get(host["name"], ()))
        yield Place(
            name=host["name"],
            mark=worst([host_mark(host), *(spot.mark for spot in spots)]),
            fact=host["address"],
            kind="host",
            spots=spots,
        )


def _domains(
    document: Mapping[str, Any],
    services: Mapping[str, Sequence[Spot]],
    dense: bool,
    trust: Callable[[str], str],
) -> Iterator[Place]:
    machines: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for machine in document["machines"]:
        machines[machine["domain"]].append(machine)
    for domain in document["domains"]:
        own = machines[domain["name"]]
        marks = [machine_mark(each) for each in own]
        groups = tuple(
            Group(
                _short(each),
                mark,
                each["declared_address"],
                tuple(services.get(each["machine"], ())),
            )
            for each, mark in zip(own, marks, strict=True)
        )
        spots = tuple(spot for group in groups for spot in group.spots)
        yield Place(
            name=domain["name"],
            mark=worst(
                [domain_mark(domain, document["changes"]), *marks, *(spot.mark for spot in spots)]
            ),
            fact=f"{domain['subnet']} · {trust(domain['trust'])}",
            kind="domain",
            groups=() if dense else groups,
            dots=tuple((each["machine"], mark) for each, mark in zip(own, marks, strict=True))
            if dense
            else (),
            spots=spots if dense else (),
        )


def _short(machine: Mapping[str, Any]) -> str:
    """Its name inside its domain."""
    return str(machine["machine"]).rpartition("/")[2]
