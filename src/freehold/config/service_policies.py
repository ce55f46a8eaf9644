"""Policies that follow from services: what one `reaches` in another domain of Incus may be reached. Called by `service_targets`.

Needs are no part of it: who may use the data of another is said in infra.yml. Nor is the way out of a domain without the Internet: a
policy could not name the one computer there that is meant.
"""

from collections.abc import Iterator

from freehold.model import Infra, Policy
from freehold.model.protocols import Protocol
from freehold.model.services import Service
from freehold.model.traffic import INTERNET, Declaration, Flow


def following_policies(infra: Infra, services: tuple[Service, ...]) -> tuple[Policy, ...]:
    """Those that infra.yml's own words do not cover; `infra` has no others yet."""
    declared = Declaration(infra)
    by_name = {service.name: service for service in services}
    return tuple(
        policy
        for service in services
        for name, ports in service.reaches.items()
        for policy in _policies(infra, declared, (service, by_name[name]), ports)
    )


def _policies(
    infra: Infra, declared: Declaration, pair: tuple[Service, Service], names: tuple[str, ...]
) -> Iterator[Policy]:
    service, other = pair
    source, target = (_end(infra, each.target) for each in pair)
    numbers: dict[Protocol, list[int]] = {}
    for port in other.descriptor.ports:
        number = other.published.get(port.name)
        if (
            port.name not in names
            or number is None
            or INTERNET in (source, target)
            or source == target
        ):
            continue
        flow = Flow(source=source, target=target, protocol=port.protocol, port=number)
        if declared.permission(flow) is None:
            numbers.setdefault(port.protocol, []).append(number)
    for protocol, found in numbers.items():
        yield Policy(
            source=source,
            target=target,
            protocol=protocol,
            ports=tuple((number, number) for number in sorted(set(found))),
            reason=_reason(service, other, names),
            follows=True,
        )


def _end(infra: Infra, target: str) -> str:
    return INTERNET if infra.host(target) else target


def _called_back(service: Service, other: Service) -> set[str]:
    """Ports of the other, which needs this one and wants it to connect to them."""
    needs = (need for need in other.descriptor.needs if other.needs.get(need.name) == service.name)
    return {port for need in needs for port in need.calls_back}


def _reason(service: Service, other: Service, names: tuple[str, ...]) -> str:
    """In words for the plan."""
    metrics = other.descriptor.metrics
    does = []
    if set(names) & _called_back(service, other):
        does.append(f"asks {other.name} in turn")
    if metrics and metrics.port in names:
        does.append(f"reads what {other.name} measures")
    if other.name in service.serves:
        does.append(f"serves {other.name}")
    return f"{service.name} {' and '.join(does) or f'looks whether {other.name} answers'}"
