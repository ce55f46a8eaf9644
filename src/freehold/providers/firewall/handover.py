"""What the host's table has besides when a machine routes between the domains: it hands packets over, and nothing else.

A packet of one domain for another gets a mark, by which the host's routing sends it to the transfer bridge, where only
that machine is; what comes back from there goes to its domain. Never straight from one bridge to another: without the
machine, or without the routing, domains are closed to each other. The host sees each such packet twice, so it keeps
no track of its connection and translates no address of it; who may talk to whom is the machine's to say. Pure; called
by `ruleset.py`.
"""

from collections.abc import Sequence

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

BEFORE_TRACKING = -300  # connections are looked up at -200 (netfilter_ipv4.h, NF_IP_PRI_CONNTRACK)
MARK = 0x10000000  # one bit; the other bits are other people's
BRIDGES = "transfer"
"""The set that holds the transfer bridge."""

_IN, _OUT = meta("iifname"), meta("oifname")
_FROM_MACHINE = equal(_IN, f"@{BRIDGES}")
_TO_MACHINE = equal(_OUT, f"@{BRIDGES}")
_UNTRACKED: Expression = {"notrack": None}
_MARKED = equal({"&": [meta("mark"), MARK]}, MARK)


def sending() -> Sequence[Rule]:
    """Before anything else is decided: which packets are for another domain."""
    own_subnet = equal(concat(_IN, payload("ip", "daddr")), "@sources")
    local = equal({"fib": {"result": "type", "flags": ["daddr"]}}, "local")
    mark: Expression = {"mangle": {"key": meta("mark"), "value": {"|": [meta("mark"), MARK]}}}
    return [
        [_FROM_MACHINE, _UNTRACKED, ACCEPT],
        [equal(_IN, "@bridges", "!="), ACCEPT],
        [equal(payload("ip", "daddr"), "@subnets", "!="), ACCEPT],
        [own_subnet, ACCEPT],
        [local, ACCEPT],
        [mark, _UNTRACKED],
    ]


def forward() -> Sequence[Rule]:
    """Goes before the host's own rules for what it forwards."""
    return [[jump("handing_over")]]


def handing_over() -> Sequence[Rule]:
    """Decides about all that goes to or comes from the machine, or would go past it."""
    ipv4 = equal(meta("nfproto"), "ipv4")
    own_source = equal(concat(_IN, payload("ip", "saddr")), "@sources")
    bridges = [equal(_IN, "@bridges"), equal(_OUT, "@bridges")]
    back_where_it_came_from = equal(concat(_OUT, payload("ip", "saddr")), "@sources")
    return [
        [_FROM_MACHINE, back_where_it_came_from, COUNTER, DROP],
        [_FROM_MACHINE, ipv4, equal(_OUT, "@bridges"), ACCEPT],
        [_FROM_MACHINE, COUNTER, DROP],
        [_TO_MACHINE, _MARKED, own_source, ACCEPT],
        [_TO_MACHINE, COUNTER, DROP],
        [equal(concat(_IN, _OUT), "@inside"), ACCEPT],
        [*bridges, COUNTER, DROP],
    ]


def reaching() -> Sequence[Rule]:
    """The machine answers the host when asked whether it is there, and asks the host nothing."""
    echo_reply = equal(payload("icmp", "type"), "echo-reply")
    return [[_FROM_MACHINE, echo_reply, ACCEPT], [_FROM_MACHINE, COUNTER, DROP]]
