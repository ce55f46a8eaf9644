"""The picture as text of a Mermaid flowchart. Called by `cli.graph`.

Identifiers are numbered, so that no name can be a word of the grammar (`end`); texts are quoted, with the characters
that mean something escaped as Mermaid's entity codes (`#quot;`).
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from freehold.model import Domain, Infra, Machine, Policy
from freehold.operations.graph.connections import needs
from freehold.operations.graph.words import (
    domain_facts,
    host_facts,
    host_kind,
    machine_facts,
    need_traffic,
    ordered,
    policy_traffic,
    service_facts,
    services_of,
    trust_in_words,
)

if TYPE_CHECKING:
    from freehold.model.services import Service

_UNSAFE = re.compile(r"[^\w .,:/()·→↔-]")


def mermaid(infra: Infra) -> str:
    """The estate as a flowchart."""
    return "\n".join(_lines(infra)) + "\n"


def _lines(infra: Infra) -> Iterator[str]:
    names = _identifiers(infra)
    yield "flowchart TB"
    yield f'  internet(["{_quoted("The internet")}"])'
    yield f'  host["{_quoted("This computer")}"]'
    yield '  host -.->|"way out"| internet'
    for domain in ordered(infra):
        yield from _domain(infra, domain, names)
        yield f"  {names[domain.name]} -.-> host"
    for computer in infra.hosts:
        label = _label([computer.name, host_kind(computer), host_facts(computer)])
        services = services_of(infra, computer.key)
        yield from _group("  ", names[computer.key], label, services, names, empty="no services")
    for number, policy in enumerate(infra.policies, start=1):
        yield _arrow(number, policy, names)
    for user, used in needs(infra):
        label = _label([f"needs: {need_traffic(user, used)}"])
        yield f'  {names[_service(user)]} ==>|"{label}"| {names[_service(used)]}'


def _domain(infra: Infra, domain: Domain, names: dict[str, str]) -> Iterator[str]:
    title = _label([domain.name, trust_in_words(domain), domain_facts(domain)])
    yield f'  subgraph {names[domain.name]}["{title}"]'
    for machine in domain.machines:
        yield from _machine(machine, services_of(infra, machine.key), names)
    if not domain.machines:
        yield f'    {names[domain.name]}empty["no machines"]'
    yield "  end"


def _machine(machine: Machine, services: "list[Service]", names: dict[str, str]) -> Iterator[str]:
    """A box of its own where services run in it."""
    label = _label([machine.name, *machine_facts(machine)])
    if services:
        yield from _group("    ", names[machine.key], label, services, names)
    else:
        yield f'    {names[machine.key]}["{label}"]'


def _group(
    indent: str,
    name: str,
    label: str,
    services: "list[Service]",
    names: dict[str, str],
    *,
    empty: str = "",
) -> Iterator[str]:
    yield f'{indent}subgraph {name}["{label}"]'
    for service in services:
        text = _label([service.name, *service_facts(service)])
        yield f'{indent}  {names[_service(service)]}["{text}"]'
    if not services:
        yield f'{indent}  {name}empty["{empty}"]'
    yield f"{indent}end"


def _service(service: "Service") -> str:
    """What no host, domain or machine is called."""
    return f"service:{service.name}"


def _identifiers(infra: Infra) -> dict[str, str]:
    found = {"host": "host", "internet": "internet"}
    found |= {domain.name: f"d{number}" for number, domain in enumerate(ordered(infra), start=1)}
    found |= {machine.key: f"m{number}" for number, machine in enumerate(infra.machines(), start=1)}
    found |= {host.key: f"h{number}" for number, host in enumerate(infra.hosts, start=1)}
    return found | {_service(each): f"s{n}" for n, each in enumerate(infra.services, start=1)}


def _arrow(number: int, policy: Policy, identifiers: dict[str, str]) -> str:
    label = _label(
        [f"{number}: {policy_traffic(policy)}", *([policy.reason] if policy.reason else [])]
    )
    arrow = "<-->" if policy.bidirectional else "-->"
    return f'  {identifiers[policy.source]} {arrow}|"{label}"| {identifiers[policy.target]}'


def _label(lines: list[str]) -> str:
    return "<br/>".join(_quoted(line) for line in lines)


def _quoted(text: str) -> str:
    """The text for between quotation marks: everything unusual as an entity code, `#` and a decimal number."""
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", text)
