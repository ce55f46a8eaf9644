"""The picture as text of a Mermaid flowchart. Called by `cli.graph`.

Identifiers are numbered, so that no name can be a word of the grammar (`end`); texts are quoted, with the characters
that mean something escaped as Mermaid's entity codes (`#quot;`).
"""

import re
from collections.abc import Iterator

from freehold.model import Infra, Policy
from freehold.operations.graph.words import (
    domain_facts,
    machine_facts,
    ordered,
    policy_traffic,
    trust_in_words,
)

_UNSAFE = re.compile(r"[^\w .,:/()·→↔-]")


def mermaid(infra: Infra) -> str:
    """The estate as a flowchart."""
    return "\n".join(_lines(infra)) + "\n"


def _lines(infra: Infra) -> Iterator[str]:
    identifiers = _identifiers(infra)
    yield "flowchart TB"
    yield f'  internet(["{_quoted("The internet")}"])'
    yield f'  host["{_quoted("This computer")}"]'
    yield '  host -.->|"way out"| internet'
    for domain in ordered(infra):
        name = identifiers[domain.name]
        title = _label([domain.name, trust_in_words(domain), domain_facts(domain)])
        yield f'  subgraph {name}["{title}"]'
        for machine in domain.machines:
            yield f'    {identifiers[machine.key]}["{_label([machine.name, *machine_facts(machine)])}"]'
        if not domain.machines:
            yield f'    {name}empty["no machines"]'
        yield "  end"
        yield f"  {name} -.-> host"
    for number, policy in enumerate(infra.policies, start=1):
        yield _arrow(number, policy, identifiers)


def _identifiers(infra: Infra) -> dict[str, str]:
    found = {"host": "host", "internet": "internet"}
    found |= {domain.name: f"d{number}" for number, domain in enumerate(ordered(infra), start=1)}
    found |= {machine.key: f"m{number}" for number, machine in enumerate(infra.machines(), start=1)}
    return found


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
