"""The proof by packets over a simulated network: what differs, what is not measured, what is asked of whom."""

import asyncio
from collections import Counter
from ipaddress import IPv4Address
from typing import Any, cast

from freehold.model import Infra
from freehold.operations.traffic import TrafficReport, Verdict, verify_traffic
from freehold.operations.traffic.check import Check, Kind
from freehold.operations.traffic.ends import scope
from freehold.operations.traffic.verdict import Findings, own_ports, results
from freehold.planning.selection import Selection
from freehold.system.incus.api import Incus
from tests.unit.operations.traffic_estates import Host, World, ends_of, infra, policy

OUTSIDE = ("203.0.113.9", 53)


def as_declared(estate: Infra) -> Any:
    """A network that does what it should: admin is d0, nothing else is open between domains."""
    of = {str(machine.address): machine.key for machine in estate.machines()}

    def passes(source: str, address: str, kind: str, port: int) -> bool:
        if kind in ("spoofed", "ipv6"):
            return of.get(address) == source  # its control
        if source == "host":
            return True
        own, target = source.partition("/")[0], of.get(address)
        if target is not None:
            return own in ("d0", target.partition("/")[0])
        if address == OUTSIDE[0]:
            return True
        gateway = next(str(d.gateway) for d in estate.domains if d.name == own)
        return address == gateway and port == 53

    return passes


def verified(
    world: World,
    host: Host | None = None,
    problems: dict[str, str] | None = None,
    outside: tuple[str, int] | None = OUTSIDE,
) -> TrafficReport:
    chosen = scope(world.infra, ends_of(world.infra, problems), Selection())
    station = host or world.host
    return asyncio.run(verify_traffic(cast(Incus, world), world.infra, chosen, station, outside))


def different(report: TrafficReport) -> set[tuple[str, str, str, int | None]]:
    return {
        (r.check.source, r.check.target, r.check.kind.value, r.check.port)
        for r in report.results
        if r.verdict is Verdict.DIFFERENT
    }


def reasons(report: TrafficReport) -> Counter[str]:
    return Counter(r.remark for r in report.results if r.verdict is Verdict.NOT_MEASURED)


def test_a_network_as_declared_is_told_as_such() -> None:
    estate = infra([1, 2, 1])
    report = verified(World(estate, as_declared(estate)))
    assert different(report) == set()
    assert reasons(report) == {}
    assert report.as_declared
    assert report.outside == "203.0.113.9:53"


def test_an_open_network_differs_wherever_it_is_closed_by_declaration() -> None:
    estate = infra([1, 1, 1])
    report = verified(World(estate, lambda *_: True))
    assert not report.as_declared
    found = different(report)
    assert ("d1/m0", "d2/m0", "icmp", None) in found
    assert ("d1/m0", "d2/m0", "spoofed", 47123) in found
    assert ("d1/m0", "host", "udp", 47123) in found
    assert ("d1/m0", "host", "ipv6", None) in found
    assert not any(source == "host" for source, *_ in found)
    assert ("d0/m0", "d1/m0", "tcp", 47123) not in found


def test_what_is_declared_and_blocked_differs() -> None:
    estate = infra([1, 1, 1], policy("d1", "d2", 80))
    report = verified(World(estate, as_declared(estate)))
    assert different(report) == {("d1/m0", "d2/m0", "tcp", 80)}


def test_a_lost_packet_is_sent_again_before_anything_is_called_blocked() -> None:
    estate = infra([1, 1])
    world = World(estate, as_declared(estate), loses_first=True)
    report = verified(world)
    assert different(report) == set()
    assert all(count <= 2 for count in Counter(world.asked).values())


def test_a_stopped_machine_is_not_measured_and_never_asked() -> None:
    estate = infra([1, 1, 1])
    world = World(estate, as_declared(estate))
    report = verified(world, problems={"d1/m0": "it is stopped"})
    assert different(report) == set()
    assert set(reasons(report)) == {"d1/m0: it is stopped"}
    concerned = [r for r in report.results if "d1/m0" in (r.check.source, r.check.target)]
    assert all(r.arrived is None for r in concerned)
    assert not any(name == "d1/m0" for name, _ in world.asked)


def test_a_machine_that_dies_in_the_middle_is_not_measured() -> None:
    estate = infra([1, 1, 1])
    world = World(estate, as_declared(estate), dies_when={"d2/m0": "collect"})
    report = verified(world)
    assert different(report) == set()
    assert set(reasons(report)) == {"d2/m0: it stopped meanwhile"}


def test_without_python_its_kernel_still_answers_pings_and_connections() -> None:
    estate = infra([1, 1, 1])
    world = World(estate, as_declared(estate), without_python=frozenset({"d2/m0"}))
    report = verified(world)
    assert different(report) == set()
    assert set(reasons(report)) == {"d2/m0: there is no python3 in it"}
    to_it = {r.check.kind: r.verdict for r in report.results if r.check.target == "d2/m0"}
    assert to_it[Kind.TCP] is Verdict.AS_DECLARED
    assert to_it[Kind.ICMP] is Verdict.AS_DECLARED
    assert to_it[Kind.SPOOFED] is Verdict.NOT_MEASURED


def test_a_leak_to_a_machine_without_python_is_found_all_the_same() -> None:
    estate = infra([1, 1, 1])
    report = verified(World(estate, lambda *_: True, without_python=frozenset({"d2/m0"})))
    assert ("d1/m0", "d2/m0", "tcp", 47123) in different(report)


def test_without_root_what_the_host_would_hear_is_not_measured() -> None:
    estate = infra([1, 1])
    report = verified(
        World(estate, as_declared(estate)),
        host=Host(World(estate, lambda *_: False), "only root may"),
    )
    assert different(report) == set()
    found = {(r.check.kind, r.verdict) for r in report.results if r.check.target == "host"}
    assert (Kind.UDP, Verdict.NOT_MEASURED) in found
    assert (Kind.UDP, Verdict.AS_DECLARED) not in found
    assert (Kind.TCP, Verdict.AS_DECLARED) in found


def test_without_an_outside_the_way_out_is_not_measured() -> None:
    estate = infra([1, 1], closed=["d1"])
    report = verified(World(estate, as_declared(estate)), outside=None)
    verdicts = {r.verdict for r in report.results if r.check.target == "internet"}
    assert verdicts == {Verdict.NOT_MEASURED}


def test_an_outside_that_the_host_does_not_reach_says_nothing() -> None:
    estate = infra([1, 1], closed=["d1"])
    inner = as_declared(estate)
    report = verified(World(estate, lambda s, a, k, p: a != OUTSIDE[0] and inner(s, a, k, p)))
    assert different(report) == set()
    assert set(reasons(report)) == {
        "the host itself does not reach 203.0.113.9 port 53",
        "the host itself does not reach 203.0.113.9",
    }


def test_a_closed_domain_that_gets_out_differs() -> None:
    estate = infra([1, 1], closed=["d1"])
    report = verified(World(estate, as_declared(estate)))
    assert different(report) == {
        ("d1/m0", "internet", "tcp", 53),
        ("d1/m0", "internet", "icmp", None),
    }


def test_lies_are_not_measured_where_not_even_the_truth_arrives() -> None:
    estate = infra([1, 1])
    report = verified(World(estate, lambda s, a, k, p: k != "spoofed"))
    lies = {r.verdict for r in report.results if r.check.kind is Kind.SPOOFED}
    assert lies == {Verdict.NOT_MEASURED}


def test_each_machine_is_asked_three_times_whatever_the_number_of_pairs() -> None:
    estate = infra([3, 3])
    world = World(estate, as_declared(estate))
    verified(world)
    assert Counter(world.asked) == {
        (name, mode): 1
        for name in ("host", *(machine.key for machine in estate.machines()))
        for mode in ("listen", "probe", "collect")
    }


def check(**more: Any) -> Check:
    return Check(
        **{
            "source": "d1/m0",
            "target": "d2/m0",
            "kind": Kind.UDP,
            "address": "10.100.2.10",
            "port": 80,
            **more,
        }
    )


def test_half_a_way_is_none_for_what_may_pass_and_a_leak_for_what_must_not() -> None:
    both = [check(because="policy 1"), check()]
    heard = Findings(arrived={"d2/m0": {0, 1}}, syns={"d2/m0": set()})
    open_way, closed_way = results(both, heard)
    assert (open_way.arrived, open_way.verdict) == (False, Verdict.DIFFERENT)
    assert open_way.remark == "it arrived, but no answer came back"
    assert (closed_way.arrived, closed_way.verdict) == (True, Verdict.DIFFERENT)


def test_the_first_packet_of_a_connection_is_known_by_its_port() -> None:
    checks = [check(kind=Kind.TCP), check(kind=Kind.TCP, source="d1/m1")]
    findings = Findings(ports=own_ports(checks, 0))
    findings.hear("d2/m0", {"arrived": [], "syns": [[findings.ports[1] + 1, 80]]})
    assert [result.arrived for result in results(checks, findings)] == [False, True]


def test_own_ports_are_unique_at_every_target() -> None:
    checks = [
        check(kind=Kind.TCP, address=str(IPv4Address("10.100.2.10") + n % 3), target=f"d2/m{n % 3}")
        for n in range(300)
    ]
    ports = own_ports(checks, 19998)
    taken = Counter(
        (checks[number].target, port + attempt)
        for number, port in ports.items()
        for attempt in (0, 1)
    )
    assert set(taken.values()) == {1}
    assert all(20000 <= port < 60000 for port in ports.values())


def test_a_machine_that_answers_nonsense_decides_nothing_about_others() -> None:
    findings = Findings()
    findings.take([1], {"answered": [1, 7, "x", None], "failed": {"9": "no", "²": "no"}})
    findings.take([2], {"answered": {"2": 1}, "failed": [2]})
    findings.hear("d2/m0", {"arrived": "everything", "syns": [[1], "ab", None, [1, 2, 3]]})
    assert findings.answered == {1}
    assert findings.failed == {}
    assert findings.arrived == {"d2/m0": set()}
    assert findings.syns == {"d2/m0": set()}


def test_what_was_said_to_a_link_and_heard_in_another_domain_is_a_leak() -> None:
    said = check(kind=Kind.IPV6, target="host", address="ff02::1", port=None)
    (result,) = results([said], Findings(arrived={"d2/m0": {0}, "d1/m1": {0}, "host": set()}))
    assert result.verdict is Verdict.DIFFERENT
    assert result.remark == "it came to d2/m0"
    (quiet,) = results([said], Findings(arrived={"d1/m1": {0}, "host": set()}))
    assert quiet.verdict is Verdict.AS_DECLARED
