"""The whole table inside the machine between the domains, as one transaction. Pure; called by `provider.py`.

Like the host's table (`firewall.ruleset`), with which it shares its name and its way of writing what is open.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from freehold.planning.resource import Fields
from freehold.providers.firewall.chains import BEFORE_NAT, FILTER, set_name
from freehold.providers.firewall.expressions import Rule
from freehold.providers.firewall.openings import Opening, kind_of, parsed
from freehold.providers.firewall.router import rules
from freehold.system.nftables import Command

FAMILY = "inet"
REMEMBERED_FOR = 3600  # seconds
_REMEMBERED = 4096  # pairs with a port; the set takes no more

_ENDS = ["ipv4_addr", "ipv4_addr", "inet_proto"]
_Layout = Iterator[tuple[str, Mapping[str, Any], Sequence[Rule]]]


def skeleton(name: str) -> list[Command]:
    """The table without anything in its sets."""
    table = {"family": FAMILY, "table": name}
    layout = list(_chains())
    return [
        {"add": {"table": {"family": FAMILY, "name": name}}},
        *({"add": {"set": {**table, **each}}} for each in _sets()),
        *({"add": {"chain": {**table, "name": chain, **hook}}} for chain, hook, _ in layout),
        *(
            {"add": {"rule": {**table, "chain": chain, "expr": rule}}}
            for chain, _, held in layout
            for rule in held
        ),
    ]


def commands(name: str, fields: Fields) -> list[Command]:
    """One transaction after which the table is exactly what `fields` say, whatever it was."""
    table = {"table": {"family": FAMILY, "name": name}}
    elements = (
        {"add": {"element": {"family": FAMILY, "table": name, "name": of, "elem": held}}}
        for of, held in _elements(fields).items()
    )
    return [{"add": table}, {"delete": table}, *skeleton(name), *elements]


def _sets() -> Iterator[dict[str, Any]]:
    yield {"name": "host", "type": "ipv4_addr"}
    yield {"name": "subnets", "type": "ipv4_addr", "flags": ["interval"]}
    yield {"name": "admins", "type": "ipv4_addr", "flags": ["interval"]}
    for source in rules.KINDS:
        for target in rules.KINDS:
            key = [*_ENDS, "inet_service"]
            yield {"name": set_name(source, target), "type": key, "flags": ["interval"]}
    memory = {"flags": ["timeout"], "timeout": REMEMBERED_FOR, "size": _REMEMBERED}
    yield {"name": rules.DROPPED, "type": [*_ENDS, "inet_service"], **memory}
    yield {"name": rules.DROPPED_OTHERS, "type": _ENDS, **memory}


def _chains() -> _Layout:
    """Those that others jump to come first. What no rule decides is dropped."""
    for direction in rules.DIRECTIONS:
        name, held = direction.passage()
        yield name, {}, held
    yield "deciding", {}, list(rules.deciding())
    early = {"type": "filter", "hook": "prerouting", "prio": BEFORE_NAT, "policy": "accept"}
    yield "arriving", early, rules.arriving()
    base = {"type": "filter", "prio": FILTER, "policy": "drop"}
    yield "forward", {"hook": "forward", **base}, rules.forward()
    yield "reaching", {"hook": "input", **base}, rules.reaching()


def _elements(fields: Fields) -> Mapping[str, list[Any]]:
    """In an order of their own, so that equal fields are equal text."""
    held: dict[str, list[Any]] = {"host": [fields["way"]["host"]]}
    for name, zone in sorted(fields["zones"].items()):
        subnet = _value(zone["subnet"])
        held.setdefault("subnets", []).append({"elem": {"val": subnet, "comment": name}})
        if zone["admin"]:
            held.setdefault("admins", []).append(subnet)
    for label, text in sorted(fields["open"].items()):
        opening = parsed(label, text)
        name = set_name(kind_of(opening.source), kind_of(opening.target))
        held.setdefault(name, []).extend(_of_opening(opening))
    return held


def _of_opening(opening: Opening) -> Iterator[Any]:
    ends = [_value(opening.source), _value(opening.target)]
    for allowed in opening.allowed:
        first, last = allowed.ports
        ports: Any = first if first == last else {"range": [first, last]}
        value = {"concat": [*ends, allowed.protocol, ports]}
        yield {"elem": {"val": value, "comment": opening.label}}


def _value(end: str) -> Any:
    """An address, or a network of such."""
    network, _, length = end.partition("/")
    return {"prefix": {"addr": network, "len": int(length)}} if length else network
