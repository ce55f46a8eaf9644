"""The whole table as one transaction: sets with what they hold, chains, rules. Pure; called by `provider.py`.

The table is named after the estate (`freehold-maison`), which makes it ours: nothing else carries that name.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from freehold.planning.resource import Fields
from freehold.providers.firewall import chains, handover
from freehold.providers.firewall.chains import (
    ANSWERING,
    BEFORE_NAT,
    FILTER,
    OPENING,
    PAIRS,
    set_name,
)
from freehold.providers.firewall.expressions import Rule
from freehold.providers.firewall.openings import Opening, kind_of, parsed
from freehold.system.nftables import Command

FAMILY = "inet"
Hook = tuple[str, int]
"""Where the kernel calls a chain, and its priority there."""

_TYPES = {"domain": ["ifname"], "machine": ["ipv4_addr"], "host": [], "internet": []}
_BASE_SETS: Mapping[str, tuple[Any, bool]] = {
    "bridges": ("ifname", False),
    "admins": ("ifname", False),
    "outward": ("ifname", False),
    "inside": (["ifname", "ifname"], False),
    "gateways": (["ifname", "ipv4_addr"], False),
    "sources": (["ifname", "ipv4_addr"], True),
    "subnets": ("ipv4_addr", True),
}
"""Name to type, and whether it holds ranges."""


def table_name(estate: str) -> str:
    """The table of an estate."""
    return f"freehold-{estate}"


def skeleton(name: str, fields: Fields) -> list[Command]:
    """The table without anything in its sets: the same for every estate whose packets go the same way (`transfer`)."""
    hands_over = "transfer" in fields
    commands: list[Command] = [{"add": {"table": {"family": FAMILY, "name": name}}}]
    commands += [{"add": {"set": _set(name, *each)}} for each in _sets(hands_over)]
    layout = list(_handing_over() if hands_over else _chains())
    commands += [{"add": {"chain": _chain(name, chain, hook)}} for chain, hook, _ in layout]
    commands += [
        {"add": {"rule": {"family": FAMILY, "table": name, "chain": chain, "expr": rule}}}
        for chain, _, rules in layout
        for rule in rules
    ]
    return commands


def commands(name: str, fields: Fields) -> list[Command]:
    """One transaction after which the table is exactly what `fields` say, whatever it was."""
    table = {"table": {"family": FAMILY, "name": name}}
    return [{"add": table}, {"delete": table}, *skeleton(name, fields), *_elements(name, fields)]


def _sets(hands_over: bool) -> Iterator[tuple[str, Any, bool]]:
    for name, (of, ranges) in _BASE_SETS.items():
        yield name, of, ranges
    if hands_over:
        yield handover.BRIDGES, "ifname", False
    for source, target in PAIRS:
        parts = [*_TYPES[source], *_TYPES[target], "inet_proto", "inet_service"]
        yield set_name(source, target), parts, True


def _set(table: str, name: str, of: Any, ranges: bool) -> dict[str, Any]:
    flags = {"flags": ["interval"]} if ranges else {}
    return {"family": FAMILY, "name": name, "table": table, "type": of, **flags}


def _chains() -> Iterator[tuple[str, Hook | None, Sequence[Rule]]]:
    """Those that others jump to come first."""
    for direction in (OPENING, ANSWERING):
        for name, rules in reversed(list(chains.passages(direction))):
            yield name, None, rules
    yield "to_host", None, chains.to_host()
    yield "arriving", ("prerouting", BEFORE_NAT), chains.arriving()
    yield "reaching", ("input", FILTER), chains.reaching()
    yield "forward", ("forward", FILTER), chains.forward()


def _handing_over() -> Iterator[tuple[str, Hook | None, Sequence[Rule]]]:
    """The same, with what a machine between the domains needs before it."""
    first = {"reaching": handover.reaching(), "forward": handover.forward()}
    yield "sending", ("prerouting", handover.BEFORE_TRACKING), handover.sending()
    yield "handing_over", None, handover.handing_over()
    for name, hook, rules in _chains():
        yield name, hook, [*first.get(name, ()), *rules]


def _chain(table: str, name: str, hook: Hook | None) -> dict[str, Any]:
    body = {"family": FAMILY, "table": table, "name": name}
    if hook is None:
        return body
    place, priority = hook
    return {**body, "type": "filter", "hook": place, "prio": priority, "policy": "accept"}


def _elements(table: str, fields: Fields) -> Iterator[Command]:
    held: dict[str, list[Any]] = {}
    for name, zone in fields["zones"].items():
        for of, element in _of_zone(name, zone):
            held.setdefault(of, []).append(element)
    held["subnets"] = list(_subnets(fields))
    if "transfer" in fields:
        held[handover.BRIDGES] = [fields["transfer"]]
    for label, text in fields["open"].items():
        opening = parsed(label, text)
        held.setdefault(_set_of(opening), []).extend(_of_opening(opening))
    for of, elements in sorted(held.items()):
        body = {"family": FAMILY, "table": table, "name": of, "elem": elements}
        yield {"add": {"element": body}}


def _of_zone(name: str, zone: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    bridge, gateway = zone["bridge"], zone["gateway"]
    yield "bridges", {"elem": {"val": bridge, "comment": name}}
    yield "inside", {"concat": [bridge, bridge]}
    yield "gateways", {"concat": [bridge, gateway]}
    yield "sources", {"concat": [bridge, _prefix(IPv4Network(zone["subnet"]))]}
    if zone["admin"]:
        yield "admins", bridge
    if zone["internet"]:
        yield "outward", bridge


def _subnets(fields: Fields) -> Iterator[Any]:
    """Without overlaps: an orphan may have the subnet that another domain is to have."""
    networks = (IPv4Network(zone["subnet"]) for zone in fields["zones"].values())
    yield from map(_prefix, collapse_addresses(networks))


def _prefix(network: IPv4Network) -> dict[str, Any]:
    return {"prefix": {"addr": str(network.network_address), "len": network.prefixlen}}


def _set_of(opening: Opening) -> str:
    return set_name(kind_of(opening.source), kind_of(opening.target))


def _of_opening(opening: Opening) -> Iterator[Any]:
    ends = [
        end for end in (opening.source, opening.target) if kind_of(end) in ("domain", "machine")
    ]
    for allowed in opening.allowed:
        first, last = allowed.ports
        ports: Any = first if first == last else {"range": [first, last]}
        value = {"concat": [*ends, allowed.protocol, ports]}
        yield {"elem": {"val": value, "comment": opening.label}}
