"""What packets that left the network of a VPN mean, moment by moment; and who is asked."""

import asyncio
import io
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
from freehold.views.leaks import leaks_document, render_leaks
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
    return {"began": 0.0, "seen": list(packets), "lost": 0, "sent": 10, "refused": 5, "answers": [], "resolvers": ["127.0.0.1"], "stayed": True, **more}  # fmt: skip


SERVER = packet()
PROBES = packet("198.51.100.1", 443, ours=True, inside=True, count=50)
ESCAPED = packet("198.51.100.1", 443, ours=True, count=3, last=2.0)


def restarted(*packets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return seen(*packets, **{"there": 1.0, "serves": True, **more})


def cut(*packets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return seen(*packets, **{"by_itself": [], **more})


def tcp(to: str, *, first: float = 0.0, last: float = 3.0, count: int = 100) -> dict[str, Any]:
    """To the port at which a VPN may be, and every page of the web is."""
    return {**packet(to, 443, protocol="tcp", count=count, last=last), "first": first}


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "tunnels": ["tun0"],
        "up": seen(SERVER, PROBES),
        "address": {"target": "203.0.113.20", "inside": "192.0.2.10"},
        "down": cut(SERVER),
        "restart": restarted(SERVER, PROBES),
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
        ("down", Moment.DOWN, cut(ESCAPED)),
        ("down", Moment.DOWN, cut(packet("203.0.113.7", 6881, protocol="tcp"))),
        ("down", Moment.DOWN, cut(answers=[{"protocol": "dns", "to": "127.0.0.11", "way": ""}])),
        ("down", Moment.DOWN, cut(ESCAPED, lost=7)),
        ("restart", Moment.RESTART, restarted(SERVER, PROBES, ESCAPED)),
        ("restart", Moment.RESTART, restarted(SERVER, PROBES, ESCAPED, lost=7)),
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
        ({"problem": ""}, {Moment.UP, Moment.DOWN, Moment.RESTART}),
        ({"up": seen(SERVER, PROBES, lost=7)}, {Moment.UP}),
        ({"up": seen(SERVER, PROBES, stayed=False)}, {Moment.UP}),
        ({"up": seen(SERVER, PROBES, resolvers=["127.0.0.11"])}, {Moment.UP}),
        ({"address": {"target": "203.0.113.20", "inside": ""}}, {Moment.ADDRESS}),
        ({"down": None}, {Moment.DOWN}),
        ({"down": {"problem": "Cannot find device"}}, {Moment.DOWN}),
        ({"down": cut(lost=7)}, {Moment.DOWN}),
        ({"down": cut(sent=0, refused=0)}, {Moment.DOWN}),
        ({"down": cut(stayed=False)}, {Moment.DOWN}),
        ({"down": cut(SERVER, by_itself=["tun0"])}, {Moment.DOWN}),
        ({"down": cut(SERVER, PROBES)}, {Moment.DOWN}),
        ({"restart": {"problem": "its VPN did not start again"}}, {Moment.RESTART}),
        ({"restart": {"problem": ""}}, {Moment.RESTART}),
        ({"restart": restarted(SERVER, PROBES, there=None)}, {Moment.RESTART}),
        ({"restart": restarted(SERVER, PROBES, serves=False)}, {Moment.RESTART}),
        ({"restart": restarted(SERVER, PROBES, lost=7)}, {Moment.RESTART}),
        ({"restart": restarted(SERVER, PROBES, stayed=False)}, {Moment.RESTART}),
        ({"restart": restarted(SERVER, refused=4000)}, {Moment.RESTART}),
        ({"restart": restarted(SERVER, {**PROBES, "last": 0.5})}, {Moment.RESTART}),
        (
            {"restart": restarted(SERVER, PROBES, answers=[{"to": "127.0.0.11"}])},
            {Moment.RESTART},
        ),
    ],
)
def test_silence_that_shows_nothing_is_not_measured(
    changes: dict[str, Any], moments: set[Moment]
) -> None:
    found = judged(**changes)
    assert {name for name, each in found.items() if each.verdict is Verdict.NOT_MEASURED} == moments


def test_what_left_before_the_service_was_there_is_told_and_no_leak() -> None:
    early = packet("198.51.100.1", 443, ours=True, last=0.13)
    found = judged(restart=restarted(SERVER, PROBES, early, there=0.4))[Moment.RESTART]
    assert found.verdict is Verdict.HOLDS
    assert "until 0.13 s after the start" in found.why


def test_a_tunnel_that_comes_back_may_be_answered_through() -> None:
    answers = [{"protocol": "dns", "to": "127.0.0.1", "way": ""}]
    found = judged(down=cut(SERVER, answers=answers, by_itself=["tun0"]))[Moment.DOWN]
    assert found.verdict is Verdict.NOT_MEASURED
    assert "came back by itself" in found.why


VPN, NEXT, WEB = "192.0.2.9", "192.0.2.10", "192.0.2.77"


@pytest.mark.parametrize(
    ("packets", "verdict", "named"),
    [
        ([tcp(NEXT)], Verdict.HOLDS, f"another one, {NEXT}"),
        ([tcp(VPN, last=1.0), tcp(NEXT, first=1.5)], Verdict.HOLDS, f"another one, {NEXT}"),
        ([tcp(VPN), tcp(WEB, count=40)], Verdict.LEAKS, WEB),
        ([tcp(NEXT), tcp(WEB, count=40)], Verdict.LEAKS, WEB),
        ([tcp(VPN, count=40), tcp(NEXT)], Verdict.LEAKS, NEXT),
        ([tcp(WEB, last=1.2, count=4), tcp(NEXT, first=1.5)], Verdict.NOT_MEASURED, WEB),
        ([tcp(VPN, first=1.5), tcp(WEB, last=1.2, count=4)], Verdict.NOT_MEASURED, WEB),
        ([tcp(WEB, last=0.9, count=4), tcp(NEXT, first=1.0)], Verdict.HOLDS, f"another one, {NEXT}"),
    ],
    ids=["next", "next after the old", "page and old", "page and next", "page above the old", "page or try", "page or try before the old", "before anybody is there"],
)  # fmt: skip
def test_at_its_port_only_the_vpns_server_is_one(
    packets: list[dict[str, Any]], verdict: Verdict, named: str
) -> None:
    up = seen(tcp(VPN), PROBES)
    found = judged(up=up, down=cut(), restart=restarted(*packets, PROBES))[Moment.RESTART]
    assert (found.verdict, named in found.why) == (verdict, True), found


@pytest.mark.parametrize("moment", [Moment.UP, Moment.DOWN])
def test_another_address_at_the_servers_port_leaks(moment: Moment) -> None:
    page = tcp(WEB, count=40)
    up, down = seen(tcp(VPN), PROBES), cut(tcp(VPN))
    (up if moment is Moment.UP else down)["seen"].append(page)
    found = judged(up=up, down=down, restart=restarted(tcp(VPN), PROBES))
    assert [each for each, one in found.items() if one.verdict is Verdict.LEAKS] == [moment]
    assert found[moment].why.startswith(f"tcp to {WEB}:443")


def test_whom_it_spoke_to_before_is_not_its_next_server() -> None:
    up = seen(tcp(VPN), tcp(WEB, count=4), PROBES)
    found = judged(up=up, restart=restarted(tcp(WEB), PROBES))
    assert found[Moment.RESTART].verdict is Verdict.NOT_MEASURED


def test_only_packets_that_were_looked_at_prove_it() -> None:
    assert not LeakReport("maison", (), 1.0).holds, "of nobody nothing is proved"
    assert report(answer()).holds
    assert not report(answer(down=None)).holds
    assert report(answer(address={"target": "", "inside": ""})).holds
    assert not report(answer(back=False)).holds


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ({"problem": "it does not run in the network of its VPN", "back": True}, True),
        ({"problem": "timed out"}, None),
        (answer(back=None), None),
        (answer(back=False), False),
    ],
)
def test_nobody_knows_whether_it_is_back_who_was_not_told(said: Any, back: bool | None) -> None:
    found = report(said)
    assert found.proofs[0].back is back
    out = io.StringIO()
    render_leaks(found, out)
    assert ("Nobody says whether vpn on cortex runs as before: freehold plan" in out.getvalue()) == (back is None)  # fmt: skip
    assert ("vpn on cortex does not run as before: freehold apply" in out.getvalue()) == (back is False)  # fmt: skip
    assert leaks_document(found)["services"][0]["back"] is back


def test_a_program_that_ends_without_a_word_leaves_nobody_knowing() -> None:
    [proof] = report(None).proofs
    assert (proof.back, proof.findings[0].why) == (None, "cortex answered: nothing")


def estate() -> Infra:
    return infra_of(Path(), MEDIA)


def report(said: object) -> LeakReport:
    asked: list[dict[str, Any]] = []

    def ask(command: Sequence[str], given: bytes) -> Ended:
        assert command[:4] == ["python3", "-I", "-S", "-c"]
        asked.append(json.loads(given))
        return Ended(0, json.dumps(said), "") if said is not None else Ended(137, "", "")

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
