"""What packets that left the network of a VPN mean, moment by moment; and who is asked."""

import asyncio
import json
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from freehold.model import Infra
from freehold.operations.leaks.prove import behind_vpns, prove
from freehold.operations.leaks.report import Finding, LeakReport, Moment, Verdict
from freehold.operations.leaks.verdict import findings
from freehold.planning.selection import Selection
from freehold.system.leaks.packets import parsed, stays
from freehold.system.targets import Ended
from freehold.system.targets.fake import FakeTargets
from tests.provider.estate import infra_of

MEDIA = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      vpn: {on: cortex, service: gluetun}
      torrents: {on: cortex, service: qbittorrent}
      redis: {on: synapse}
    """
URL = "http://203.0.113.80/"


def packet(to: str = "192.0.2.9", port: int = 51820, *, ours: bool = False, inside: bool = False, count: int = 100, last: float = 1.0, protocol: str = "udp") -> dict[str, Any]:  # fmt: skip
    return {"interface": "tun0" if inside else "eth0", "protocol": protocol, "to": to, "port": port, "ours": ours, "in_tunnel": inside, "count": count, "first": 0.0, "last": last}  # fmt: skip


def seen(*packets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"began": 0.0, "seen": list(packets), "lost": 0, "sent": 10, "refused": 5, "answers": [], **more}  # fmt: skip


SERVER = packet()
PROBES = packet("198.51.100.1", 443, ours=True, inside=True, count=50)
ESCAPED = packet("198.51.100.1", 443, ours=True, count=3, last=2.0)


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "tunnels": ["tun0"],
        "up": seen(SERVER, PROBES),
        "address": {"target": "203.0.113.20", "inside": "192.0.2.10"},
        "down": seen(SERVER, by_itself=[]),
        "restart": seen(SERVER, there=1.0, serves=True),
        "back": True,
        **changes,
    }


def judged(**changes: Any) -> dict[Moment, Finding]:
    return {each.moment: each for each in findings(answer(**changes))}


def test_all_that_stays_in_the_tunnel_holds() -> None:
    assert {each.verdict for each in judged().values()} == {Verdict.HOLDS}


@pytest.mark.parametrize(
    ("part", "moment", "changed"),
    [
        ("up", Moment.UP, seen(SERVER, PROBES, ESCAPED)),
        ("up", Moment.UP, seen(SERVER, PROBES, packet("203.0.113.7", 6881, count=2))),
        ("up", Moment.UP, seen(SERVER, PROBES, packet("10.0.0.1", 53, count=2))),
        ("address", Moment.ADDRESS, {"target": "203.0.113.20", "inside": "203.0.113.20"}),
        ("down", Moment.DOWN, seen(ESCAPED, by_itself=[])),
        ("down", Moment.DOWN, seen(packet("203.0.113.7", 6881, protocol="tcp"), by_itself=[])),
        (
            "down",
            Moment.DOWN,
            seen(answers=[{"protocol": "dns", "to": "127.0.0.11", "way": ""}], by_itself=[]),
        ),
        ("restart", Moment.RESTART, seen(SERVER, ESCAPED, there=1.0, serves=True)),
    ],
)
def test_what_leaves_beside_it_leaks(part: str, moment: Moment, changed: Any) -> None:
    found = judged(**{part: changed})
    assert {name for name, each in found.items() if each.verdict is Verdict.LEAKS} == {moment}


@pytest.mark.parametrize(
    ("changes", "moments"),
    [
        ({"problem": "its VPN does not run"}, {Moment.UP, Moment.DOWN, Moment.RESTART}),
        ({"up": seen(PROBES)}, {Moment.UP, Moment.DOWN, Moment.RESTART}),
        ({"up": seen(SERVER)}, {Moment.UP, Moment.DOWN, Moment.RESTART}),
        ({"up": seen(SERVER, PROBES, lost=7)}, {Moment.UP}),
        ({"address": {"target": "203.0.113.20", "inside": ""}}, {Moment.ADDRESS}),
        ({"down": None}, {Moment.DOWN}),
        ({"restart": {"problem": "its VPN did not start again"}}, {Moment.RESTART}),
        ({"restart": seen(SERVER, there=None, serves=True)}, {Moment.RESTART}),
        ({"restart": seen(SERVER, there=1.0, serves=False)}, {Moment.RESTART}),
    ],
)
def test_silence_that_shows_nothing_is_not_measured(
    changes: dict[str, Any], moments: set[Moment]
) -> None:
    found = judged(**changes)
    assert {name for name, each in found.items() if each.verdict is Verdict.NOT_MEASURED} == moments


def test_what_left_before_the_service_was_there_is_told_and_no_leak() -> None:
    early = packet("198.51.100.1", 443, ours=True, last=0.13)
    found = judged(restart=seen(SERVER, early, there=0.4, serves=True))[Moment.RESTART]
    assert found.verdict is Verdict.HOLDS
    assert "until 0.13 s after the start" in found.why


def test_another_server_of_the_vpn_is_no_leak() -> None:
    found = judged(restart=seen(packet("192.0.2.77"), there=0.4, serves=True))
    assert found[Moment.RESTART].verdict is Verdict.HOLDS


def test_only_packets_that_were_looked_at_prove_it() -> None:
    proved = LeakReport("maison", (), 1.0)
    assert proved.holds
    told = report(answer(down=None))
    assert not told.holds
    assert report(answer(address={"target": "", "inside": ""})).holds
    assert not report(answer(back=False)).holds


def estate() -> Infra:
    return infra_of(Path(), MEDIA)


def report(said: object) -> LeakReport:
    asked: list[dict[str, Any]] = []

    def ask(command: Sequence[str], given: bytes) -> Ended:
        assert command[:4] == ["python3", "-I", "-S", "-c"]
        asked.append(json.loads(given))
        return Ended(0, json.dumps(said), "")

    targets = FakeTargets()
    targets.fake("cortex").answers = ask
    infra = estate()
    found = asyncio.run(prove(infra, behind_vpns(infra, Selection()), targets, URL, lambda text: None))  # fmt: skip
    [request] = asked
    assert (request["vpn"], request["guests"], request["url"]) == ("vpn", ["torrents"], URL)
    assert 8080 in request["ports"], "answers to who opens its page are no leak"
    return found


def test_each_service_behind_the_vpn_has_its_proof() -> None:
    [proof] = report(answer()).proofs
    assert (proof.service, proof.vpn, proof.target) == ("torrents", "vpn", "cortex")
    [broken] = report({"problem": "vpn has no container"}).proofs
    assert {each.why for each in broken.findings} == {"vpn has no container"}


def test_only_what_is_selected_is_disturbed() -> None:
    infra = estate()
    assert behind_vpns(infra, Selection(limits=("synapse",))) == []
    [chosen] = behind_vpns(infra, Selection(limits=("cortex",)))
    assert chosen.vpn.name == "vpn"


@pytest.mark.parametrize(
    ("to", "port", "near"),
    [
        ("224.0.0.251", 5353, True),
        ("172.18.0.3", 80, True),
        ("192.168.1.7", 445, True),
        ("192.168.1.1", 53, False),
        ("203.0.113.7", 443, False),
        ("ff02::2", 0, True),
        ("2001:db8::1", 443, False),
    ],
)
def test_what_stays_beside_the_container(to: str, port: int, near: bool) -> None:
    assert stays(to, port, [ip_network("172.18.0.0/16")]) is near


def test_packets_are_read() -> None:
    udp = bytes.fromhex("4500001c0001000040110000ac120002c6336401303901bb00080000")
    assert parsed(udp) == ("udp", "198.51.100.1", 12345, 443)
    assert parsed(b"\x00" * 30) is None
