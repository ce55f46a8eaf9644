"""The rules inside the machine between the domains: the host's, told by addresses instead of interfaces. Pure.

Everything comes in by one interface and leaves by it; the host has seen to it that a packet carries an address of the
domain that it comes from. Called by `ruleset.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freehold.model.transfer import INTERFACE
from freehold.providers.firewall.chains import set_name
from freehold.providers.firewall.expressions import (
    ACCEPT,
    COUNTER,
    DROP,
    Expression,
    Rule,
    concat,
    equal,
    jump,
    meta,
    payload,
)

KINDS = ("domain", "machine")
DROPPED, DROPPED_OTHERS = "dropped", "dropped_others"
"""Sets of what was dropped within the last hour, with a count: with ports, and of protocols that have none."""

_STATE: Expression = {"ct": {"key": "state"}}
_DIRECTION: Expression = {"ct": {"key": "direction"}}
_SOURCE, _TARGET = payload("ip", "saddr"), payload("ip", "daddr")
_PROTOCOL = meta("l4proto")
_HERE = equal(meta("iifname"), INTERFACE)


@dataclass(frozen=True, slots=True)
class Direction:
    """Which addresses are those of who opened the connection and of who answers: in its packets, and in the answers."""

    suffix: str
    opener: Expression
    answerer: Expression
    port: str

    def passage(self) -> tuple[str, Sequence[Rule]]:
        """The chain that decides about packets of this direction."""
        admin = equal(self.opener, "@admins")
        rules = [[admin, COUNTER, ACCEPT]]
        rules += [self._lookup(source, target) for source in KINDS for target in KINDS]
        return f"opening{self.suffix}", rules

    def _lookup(self, source: str, target: str) -> Rule:
        key = concat(self.opener, self.answerer, _PROTOCOL, payload("th", self.port))
        return [equal(key, f"@{set_name(source, target)}"), COUNTER, ACCEPT]


DIRECTIONS = (
    Direction("", _SOURCE, _TARGET, "dport"),
    Direction("_answers", _TARGET, _SOURCE, "sport"),
)


def arriving() -> Sequence[Rule]:
    """Only what carries this mark is sent on (`network.sh`): without the table the kernel forwards nothing.

    A network namespace that ends loses its rules a moment before its interfaces.
    """
    return [[_HERE, {"mangle": {"key": meta("mark"), "value": 1}}]]


def forward() -> Sequence[Rule]:
    """What goes through: from domain to domain, in and out by the one interface."""
    return [
        [equal(meta("iifname"), INTERFACE, "!="), COUNTER, DROP],
        [equal(meta("oifname"), INTERFACE, "!="), COUNTER, DROP],
        [jump("deciding")],
    ]


def reaching() -> Sequence[Rule]:
    """What ends here. From its own domain all may come, as to any machine; from elsewhere what could go through."""
    echo = equal(payload("icmp", "type"), "echo-request")
    return [
        [equal(meta("iifname"), INTERFACE, "!="), ACCEPT],
        [equal(_SOURCE, "@host"), echo, ACCEPT],
        [equal(_STATE, ["established", "related"], "in"), equal(_DIRECTION, "reply"), ACCEPT],
        [jump("deciding")],
    ]


def deciding() -> Iterator[Rule]:
    """From the first packet of a connection to the last."""
    yield [equal(meta("nfproto"), "ipv6"), COUNTER, DROP]
    yield [equal(_SOURCE, "@subnets", "!="), COUNTER, DROP]
    yield [equal(_TARGET, "@subnets", "!="), COUNTER, DROP]
    yield [equal(_STATE, "related", "in"), equal(_PROTOCOL, "icmp"), COUNTER, ACCEPT]
    yield [equal(_DIRECTION, "original"), jump("opening")]
    yield [
        equal(_DIRECTION, "reply"),
        equal(_STATE, "established", "in"),
        jump("opening_answers"),
    ]
    with_ports = equal(_PROTOCOL, {"set": ["tcp", "udp"]})
    without = equal(_PROTOCOL, {"set": ["tcp", "udp"]}, "!=")
    yield [with_ports, _note(DROPPED, _SOURCE, _TARGET, _PROTOCOL, payload("th", "dport"))]
    yield [without, _note(DROPPED_OTHERS, _SOURCE, _TARGET, _PROTOCOL)]
    yield [COUNTER, DROP]


def _note(name: str, *key: Expression) -> Expression:
    """Remember it in a set; when that is full nothing is remembered, and dropped all the same by the next rule."""
    return {
        "set": {
            "op": "update",
            "elem": concat(*key),
            "set": f"@{name}",
            "stmt": [{"counter": None}],
        }
    }
