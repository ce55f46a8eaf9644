"""The rules: the same few for every estate, since all that differs is in the sets that they look up. Pure.

What they do, in the order of a packet's way, is in docs/network-isolation.md. A rule costs the same however many domains
there are. Every decision is made for both directions of a connection from the same sets, so that what is no longer
allowed ends, connections that are open included. Called by `ruleset.py`.

The JSON is that of libnftables-json(5).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freehold.providers.firewall.expressions import (
    ACCEPT,
    COUNTER,
    DROP,
    Expression,
    Rule,
    concat,
    equal,
    goto,
    jump,
    meta,
    payload,
)

# Just before everybody else's filters (priority 0): what we drop does not fill their logs.
FILTER = -5
BEFORE_NAT = -150  # after connections are known (-200) and before addresses are translated (-100)
ENDS = ("domain", "machine", "host", "internet")
PAIRS = tuple(
    (source, target)
    for source in ENDS
    for target in ENDS
    if source != "host" and {source, target} != {"host", "internet"} and (source, target) != ("internet", "internet")
)  # fmt: skip


def set_name(source: str, target: str) -> str:
    """The set that says what passes between two kinds of ends: `domain_to_machine`."""
    return f"{source}_to_{target}"


_IPV6 = equal(meta("nfproto"), "ipv6")
_RELATED_ICMP = [
    equal({"ct": {"key": "state"}}, "related", "in"),
    equal(meta("l4proto"), "icmp"),
    ACCEPT,
]
_DNAT = equal({"ct": {"key": "status"}}, "dnat", "in")


@dataclass(frozen=True, slots=True)
class Direction:
    """How the two ends of a connection show in a packet: one that opens or goes on with it, or one that answers."""

    suffix: str
    near: str  # the interface of whoever opened the connection
    far: str
    source: str
    target: str
    port: str

    def end(self, kind: str, *, source: bool) -> Iterator[Expression]:
        """What tells an end of this kind; nothing for `host` and `internet`, which the chain tells."""
        if kind == "domain":
            yield meta(self.near if source else self.far)
        elif kind == "machine":
            yield payload("ip", self.source if source else self.target)

    def lookup(self, source: str, target: str) -> Rule:
        """Accept what the set of these two kinds holds."""
        key = concat(
            *self.end(source, source=True),
            *self.end(target, source=False),
            meta("l4proto"),
            payload("th", self.port),
        )
        return [equal(key, f"@{set_name(source, target)}"), ACCEPT]


OPENING = Direction("", "iifname", "oifname", "saddr", "daddr", "dport")
ANSWERING = Direction("_answers", "oifname", "iifname", "daddr", "saddr", "sport")


def forward() -> Sequence[Rule]:
    """What passes the host from one interface to another."""
    state = {"ct": {"key": "state"}}
    direction = {"ct": {"key": "direction"}}
    return [
        [
            equal(meta("iifname"), "@bridges", "!="),
            equal(meta("oifname"), "@bridges", "!="),
            ACCEPT,
        ],
        [equal(concat(meta("iifname"), meta("oifname")), "@inside"), ACCEPT],
        [_IPV6, COUNTER, DROP],
        *forged(),
        _forged_outside(),
        _RELATED_ICMP,
        [equal(direction, "original"), jump("opening")],
        [equal(direction, "reply"), equal(state, "established", "in"), jump("opening_answers")],
        [COUNTER, DROP],
    ]


def forged() -> Sequence[Rule]:
    """A source address that is not of the domain it comes from."""
    pair = concat(meta("iifname"), payload("ip", "saddr"))
    return [[equal(meta("iifname"), "@bridges"), equal(pair, "@sources", "!="), COUNTER, DROP]]


def _forged_outside() -> Rule:
    """The address of a machine, from somewhere else than its bridge."""
    elsewhere = equal(meta("iifname"), "@bridges", "!=")
    return [elsewhere, equal(payload("ip", "saddr"), "@subnets"), COUNTER, DROP]


def passages(direction: Direction) -> Iterator[tuple[str, Sequence[Rule]]]:
    """The chains that decide about a connection, for packets of one direction."""
    near, far, end = meta(direction.near), meta(direction.far), direction.suffix
    yield (
        f"opening{end}",
        [
            [equal(near, "@admins"), equal(far, "@bridges"), ACCEPT],
            [equal(near, "@bridges"), equal(far, "@bridges"), goto(f"between{end}")],
            [equal(near, "@bridges"), goto(f"leaving{end}")],
            [goto(f"entering{end}")],
        ],
    )
    kinds = ("domain", "machine")
    yield (
        f"between{end}",
        [direction.lookup(source, target) for source in kinds for target in kinds],
    )
    yield (
        f"leaving{end}",
        [
            [
                _DNAT,
                ACCEPT,
            ],  # it was for the host and allowed there, before the host sent it on (`arriving`)
            [equal(near, "@outward"), ACCEPT],
            *(direction.lookup(kind, "internet") for kind in kinds),
        ],
    )
    yield f"entering{end}", [direction.lookup("internet", kind) for kind in kinds]


def arriving() -> Sequence[Rule]:
    """What is for one of the host's addresses, before anybody translates it: Docker sends published ports elsewhere."""
    local = equal({"fib": {"result": "type", "flags": ["daddr"]}}, "local")
    return [[equal(meta("iifname"), "@bridges"), local, jump("to_host")]]


def reaching() -> Sequence[Rule]:
    """What really ends at the host: broadcasts too."""
    bridges = equal(meta("iifname"), "@bridges")
    return [
        [bridges, _DNAT, ACCEPT],
        [bridges, jump("to_host")],
        [equal(meta("iifname"), "lo", "!="), *_forged_outside()],
    ]


def to_host() -> Sequence[Rule]:
    """What the host answers to: DHCP and DNS at the domain's own gateway, and what policies open."""
    own_gateway = equal(concat(meta("iifname"), payload("ip", "daddr")), "@gateways")
    broadcast = equal(payload("ip", "daddr"), "255.255.255.255")
    dhcp = equal(payload("udp", "dport"), 67)
    return [
        [_IPV6, COUNTER, DROP],
        [broadcast, dhcp, ACCEPT],
        [own_gateway, dhcp, ACCEPT],
        *forged(),
        [own_gateway, equal(payload("udp", "dport"), 53), ACCEPT],
        [own_gateway, equal(payload("tcp", "dport"), 53), ACCEPT],
        _RELATED_ICMP,
        [
            equal({"ct": {"key": "direction"}}, "reply"),
            equal({"ct": {"key": "state"}}, "established", "in"),
            ACCEPT,
        ],
        *(OPENING.lookup(kind, "host") for kind in ("domain", "machine")),
        [COUNTER, DROP],
    ]
