"""What is tried: which pairs, which ports, which lies; and what is said to be left out."""

from collections.abc import Sequence

import pytest

from freehold.model import Infra, Protocol
from freehold.operations.traffic.check import Check, Kind
from freehold.operations.traffic.checks import Checks, Surroundings
from freehold.operations.traffic.ends import Scope, scope
from freehold.planning.selection import Selection
from tests.unit.operations.traffic_estates import ends_of, infra, policy

AROUND = Surroundings(
    host=["10.100.0.1", "10.100.1.1", "192.0.2.7"],
    bridges={"net-d1": "fe80::1"},
    links={"d0/m0": ["fe80::a"], "d1/m0": ["fe80::b"]},
    outside=("203.0.113.9", 53),
)


def scope_of(estate: Infra, *limits: str) -> Scope:
    return scope(estate, ends_of(estate), Selection(limits))


def checks(estate: Infra, *limits: str, around: Surroundings = AROUND) -> list[Check]:
    return list(Checks(estate, scope_of(estate, *limits), around).all())


def between(found: Sequence[Check], source: str, target: str) -> set[tuple[str, int | None, bool]]:
    return {
        (check.kind.value, check.port, check.because is not None)
        for check in found
        if (check.source, check.target) == (source, target) and check.kind is not Kind.SPOOFED
    }


def test_two_domains_are_tried_by_every_protocol() -> None:
    found = checks(infra([1, 1, 1]))
    assert between(found, "d1/m0", "d2/m0") == {
        ("icmp", None, False),
        ("tcp", 47123, False),
        ("udp", 47123, False),
    }
    assert between(found, "d0/m0", "d2/m0") == {
        ("icmp", None, True),
        ("tcp", 47123, True),
        ("udp", 47123, True),
    }
    assert ("ipv6", None, False) in between(found, "d2/m0", "d0/m0")


def test_a_declared_port_is_tried_by_both_protocols_both_ways_and_at_the_neighbours() -> None:
    found = checks(infra([0, 1, 2], policy("d1", "d2/m0", 8080)))
    assert ("tcp", 8080, True) in between(found, "d1/m0", "d2/m0")
    assert ("udp", 8080, False) in between(found, "d1/m0", "d2/m0")
    assert ("tcp", 8080, False) in between(found, "d2/m0", "d1/m0")
    assert ("tcp", 8080, False) in between(found, "d1/m0", "d2/m1")
    assert ("tcp", 8080, True) not in between(found, "d2/m1", "d2/m0"), "it is about two domains"


def test_a_range_is_tried_at_both_ends_and_the_undeclared_port_is_in_none() -> None:
    ranged = policy("d1", "d2").__class__(
        source="d1", target="d2", protocol=Protocol.TCP, ports=((47000, 47200),)
    )
    found = between(checks(infra([0, 1, 1], ranged)), "d1/m0", "d2/m0")
    assert {("tcp", 47000, True), ("tcp", 47200, True), ("tcp", 47201, False)} <= found


def test_every_gateway_and_every_other_address_of_the_host_is_tried() -> None:
    found = [c for c in checks(infra([1, 1])) if (c.source, c.target) == ("d1/m0", "host")]
    for address, own in (("10.100.1.1", True), ("10.100.0.1", False)):
        here = {
            (c.kind.value, c.port, c.because is not None) for c in found if c.address == address
        }
        assert here == {
            ("icmp", None, False),
            ("tcp", 47123, False),
            ("udp", 47123, False),
            ("tcp", 53, own),
            ("dns", 53, own),
        }
    assert {c.kind for c in found if c.address == "192.0.2.7"} == {Kind.ICMP, Kind.TCP, Kind.UDP}
    assert {c.address for c in found if c.kind is Kind.IPV6} == {"ff02::1", "fe80::1"}


def test_the_way_out_is_tried_at_the_outside_and_at_declared_ports() -> None:
    estate = infra([1, 1], policy("d1", "internet", 443), closed=["d1"])
    found = checks(estate)
    assert between(found, "d1/m0", "internet") == {
        ("tcp", 53, False),
        ("tcp", 443, True),
        ("icmp", None, False),
    }
    assert between(found, "d0/m0", "internet") == {("tcp", 53, True), ("icmp", None, True)}
    controls = {(c.kind.value, c.port) for c in found if c.is_control and c.source == "host"}
    assert controls == {("tcp", 53), ("tcp", 443), ("icmp", None)}


def test_what_a_policy_lets_in_is_told_though_nobody_can_try_it() -> None:
    found = checks(infra([1, 1], policy("internet", "d1/m0", 443)))
    assert between(found, "internet", "d1/m0") == {("tcp", 443, True)}


def test_everybody_lies_and_nobody_is_to_believe_it() -> None:
    found = [c for c in checks(infra([1, 3, 1])) if c.kind is Kind.SPOOFED]
    lies = {(c.target, c.forged) for c in found if c.source == "d1/m0" and not c.is_control}
    assert lies == {
        ("d0/m0", "10.100.0.199"),  # admin itself: somebody of its own network
        ("d2/m0", "10.100.0.10"),
        ("d1/m1", "10.100.1.1"),
        ("d1/m1", "10.100.1.12"),
    }
    assert all(c.because is None for c in found if not c.is_control)
    assert {c.source for c in found if c.is_control} == {
        "d0/m0",
        "d1/m0",
        "d1/m1",
        "d1/m2",
        "d2/m0",
    }


def test_a_machine_that_is_stopped_is_not_the_one_that_hears_the_lies() -> None:
    estate = infra([1, 1, 2])
    ends = ends_of(estate, {"d2/m0": "it is stopped"})
    built = Checks(estate, scope(estate, ends, Selection()), AROUND)
    lies = {c.target for c in built.all() if c.kind is Kind.SPOOFED and c.source == "d1/m0"}
    assert "d2/m1" in lies
    assert "d2/m0" not in lies


def test_with_limit_one_end_of_each_pair_is_in_it() -> None:
    found = checks(infra([1, 1, 1]), "d1")
    pairs = {(c.source, c.target) for c in found if "/" in c.source and "/" in c.target}
    assert pairs == {
        ("d0/m0", "d1/m0"), ("d1/m0", "d0/m0"), ("d1/m0", "d2/m0"), ("d2/m0", "d1/m0"),
        ("d1/m0", "d1/m0"),
    }  # fmt: skip
    assert {c.source for c in found if c.target == "host"} == {"d1/m0"}


def test_a_large_estate_is_sampled_and_says_so() -> None:
    estate = infra([5] * 10, policy("d3/m4", "d5/m2", 80))
    chosen = scope_of(estate)
    names = {end.name for end in chosen.machines}
    assert names == {f"d{n}/m0" for n in range(10)} | {"d3/m4", "d5/m2"}
    notes = list(Checks(estate, chosen, AROUND).notes())
    assert "50 machines: 12 of them were tried" in notes[0]
    found = checks(estate)
    assert ("tcp", 80, True) in between(found, "d3/m4", "d5/m2")
    assert {(c.source, c.target) for c in found} >= {
        (f"d{a}/m0", f"d{b}/m0") for a in range(10) for b in range(10) if a != b
    }


def test_an_estate_that_is_tried_whole_says_only_what_never_is() -> None:
    estate = infra([2, 2])
    assert list(Checks(estate, scope_of(estate), AROUND).notes()) == [
        "Nothing was sent from the outside to the host or to machines."
    ]


def test_too_many_ports_of_a_pair_are_told() -> None:
    estate = infra([1, 1, 1], policy("d1", "d2", *range(1000, 1100)))
    notes = list(Checks(estate, scope_of(estate), AROUND).notes())
    assert "Policies name 100 ports between d1 and d2: the first 24 were tried." in notes


@pytest.mark.parametrize("outside", [None, ("203.0.113.9", 53)])
def test_no_check_stands_there_twice(outside: tuple[str, int] | None) -> None:
    around = Surroundings(host=AROUND.host, outside=outside)
    found = checks(
        infra([2, 3, 1], policy("d1", "host", 53, 80), policy("d1", "d2", 53), closed=["d2"]),
        around=around,
    )
    assert len(found) == len(set(found))
