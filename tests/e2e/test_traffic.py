"""`verify --traffic` on real machines: it finds what is open, proves what is closed, and leaves nothing behind."""

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from freehold.operations.lab import Lab
from freehold.operations.traffic.station import HostStation
from tests.e2e.estate import Estate, pid_of

pytestmark = pytest.mark.lab

THREE_DOMAINS = """
    freehold: 1
    name: cottage
    domains:
      admin: {subnet_id: 10, trust: admin, machines: {ctl: {ip: 10.100.10.10}}}
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}, shelf: {ip: 10.100.11.11}}}
      lodge: {subnet_id: 12, internet: false, machines: {till: {ip: 10.100.12.10}}}
    policies:
      - {from: home/desk, to: lodge, ports: [8080, "9000-9010"], reason: till}
      - {from: lodge, to: host, ports: [5353], protocol: udp}
    """

# Somebody's own rules: the estate's, but home may open UDP to lodge, whose answers are dropped.
CLOSED_BUT_FOR_ONE_WAY = """
table inet by-hand {
    chain forward {
        type filter hook forward priority -20; policy accept;
        iifname "net-home" oifname "net-lodge" udp dport 47123 accept
        iifname "net-lodge" oifname "net-home" udp sport 47123 drop
        ct state established,related accept
        iifname "net-admin" accept
        iifname "net-home" oifname { "net-home", "out0" } accept
        iifname "net-lodge" oifname "net-lodge" accept
        ip saddr 10.100.11.10 oifname "net-lodge" tcp dport { 8080, 9000-9010 } accept
        iifname "net-*" drop
    }
    chain input {
        type filter hook input priority -20; policy accept;
        ct state established,related accept
        iifname . ip daddr { "net-admin" . 10.100.10.1, "net-home" . 10.100.11.1, "net-lodge" . 10.100.12.1 } meta l4proto { tcp, udp } th dport 53 accept
        udp dport 67 accept
        iifname "net-lodge" udp dport 5353 accept
        iifname "net-*" drop
    }
}
"""


def without_rules(estate: Estate) -> None:
    """What somebody does who deletes Freehold's tables by hand."""
    listed = subprocess.run(
        [
            "nsenter",
            "--net",
            "--target",
            str(pid_of(estate.lab)),
            "nft",
            "--json",
            "list",
            "tables",
        ],
        check=True,
        capture_output=True,
    )
    for entry in json.loads(listed.stdout)["nftables"]:
        table = entry.get("table", {"name": ""})
        if table["name"].startswith("freehold"):
            assert estate.lab.run(["nft", "delete", "table", table["family"], table["name"]]) == 0


def load(estate: Estate, rules: str) -> None:
    path = estate.folder / "by-hand.nft"
    path.write_text(rules)
    assert estate.lab.run(["nft", "--file", str(path)]) == 0


def different(traffic: Any) -> set[tuple[str, str, str, int | None]]:
    return {
        (c["from"], c["to"], c["how"], c["port"])
        for c in traffic["checks"]
        if c["result"] == "different"
    }


def probers(token: str = "freehold-traffic") -> list[str]:
    """Processes of the whole machine that run the prober: those of the lab's machines are seen from here."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"\0-I\0-S\0-c\0" in command and token.encode() in command:
            found.append(process.name)
    return found


def await_no_probers(token: str = "freehold-traffic", seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while left := probers(token):
        assert time.monotonic() < until, left
        time.sleep(0.05)


def test_what_is_declared_is_proved(estate: Estate, outside: str) -> None:
    estate.write(THREE_DOMAINS)
    estate.ok("apply", "--yes")
    page = estate.folder / "report.html"
    begun = time.monotonic()
    proved = estate.ok("verify", "--traffic", "--json", "--outside", outside, "--report", page)
    assert time.monotonic() - begun < 60
    document = proved.document
    traffic = document["traffic"]
    assert (document["kind"], document["clean"], traffic["as_declared"]) == ("verify", True, True)
    assert traffic["summary"]["not_measured"] == 0
    assert traffic["summary"]["different"] == 0
    measured = {(c["from"], c["to"], c["how"], c["port"]): c["measured"] for c in traffic["checks"]}
    assert measured["home/desk", "lodge/till", "tcp", 8080] == "open"
    assert measured["home/desk", "lodge/till", "tcp", 9010] == "open"
    assert measured["home/desk", "lodge/till", "udp", 8080] == "closed"
    assert measured["home/shelf", "lodge/till", "tcp", 8080] == "closed"
    assert measured["lodge/till", "home/desk", "tcp", 8080] == "closed"
    assert measured["admin/ctl", "lodge/till", "icmp", None] == "open"
    assert measured["home/desk", "internet", "tcp", 80] == "open"
    assert measured["lodge/till", "internet", "tcp", 80] == "closed"
    assert measured["host", "lodge/till", "udp", 47123] == "open"
    forged = [c for c in traffic["checks"] if c["how"] == "spoofed"]
    assert len(forged) > 6
    assert {c["measured"] for c in forged} == {"closed"}
    own = [c for c in traffic["checks"] if c["how"] == "dns" and c["gateway_of"] == "home"]
    assert {c["from"]: c["measured"] for c in own if c["from"].startswith("home")} == {
        "home/desk": "open",
        "home/shelf": "open",
    }
    assert "<title>Traffic of cottage</title>" in page.read_text()
    await_no_probers()


def test_without_rules_every_open_pair_is_named(estate: Estate, outside: str) -> None:
    estate.write(THREE_DOMAINS)
    estate.ok("apply", "--yes")
    without_rules(estate)
    told = estate.freehold("verify", "--traffic", "--outside", outside)
    assert told.code == 2
    assert "home/desk → admin/ctl: icmp, tcp 47123, udp 47123" in told.said
    assert "lodge/till → home/shelf: icmp" in told.said
    assert "lodge/till → internet: tcp 80, icmp: passes, and must not" in told.said
    assert "home/desk → host (10.100.12.1, the gateway of lodge)" in told.said
    assert "home/desk → host (203.0.113.1)" in told.said
    assert "admin/ctl → home/desk" not in told.said


@pytest.mark.slow
def test_a_hole_in_one_direction_is_found_by_what_arrives(estate: Estate, outside: str) -> None:
    estate.write(THREE_DOMAINS)
    estate.ok("apply", "--yes")
    without_rules(estate)
    load(estate, CLOSED_BUT_FOR_ONE_WAY)
    try:
        traffic = estate.freehold("verify", "--traffic", "--json", "--outside", outside).document
        assert different(traffic["traffic"]) == {
            ("home/desk", "lodge/till", "udp", 47123),
            ("home/shelf", "lodge/till", "udp", 47123),
        }
    finally:
        assert estate.lab.run(["nft", "delete", "table", "inet", "by-hand"]) == 0


@pytest.mark.slow
def test_what_could_not_be_tried_is_not_measured(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    estate.ok("apply", "--yes")
    estate.incus("exec", "--project", "admin", "admin-ctl", "--", "rm", "/usr/bin/python3")
    told = estate.freehold("verify", "--traffic")
    assert told.code == 0, told
    assert "admin/ctl: there is no python3 in it" in told.said
    estate.incus("stop", "--force", "--project", "lodge", "lodge-till")
    told = estate.freehold("verify", "--traffic", "--json")
    assert told.code == 2, "the machine is to run"
    traffic = told.document["traffic"]
    assert different(traffic) == set()
    unmeasured = [c for c in traffic["checks"] if c["result"] == "not-measured"]
    reasons = {c["remark"] for c in unmeasured if "lodge/till" in (c["from"], c["to"])}
    assert "lodge/till: it is stopped" in reasons
    assert traffic["summary"]["not_measured"] == len(unmeasured)
    assert {c["measured"] for c in traffic["checks"] if c["to"] == "lodge/till"} == {None}


def test_options_about_packets_need_packets(estate: Estate) -> None:
    estate.write(THREE_DOMAINS)
    for words in (("--report", "x.html"), ("--outside", "203.0.113.9:80")):
        told = estate.freehold("verify", *words)
        assert told.code == 64
        assert "error[needs-traffic]" in told.err
    told = estate.freehold("verify", "--traffic", "--outside", "example.org")
    assert told.code == 64
    assert "error[bad-outside]" in told.err


@pytest.mark.slow
def test_a_listener_ends_by_itself_when_nobody_asks_it(e2e_lab: Lab) -> None:
    token = "0123456789abcdef"
    request = {"mode": "listen", "token": token, "seconds": 2}
    answer = asyncio.run(HostStation(pid_of(e2e_lab)).ask(request, 1.0))
    assert answer["problem"] == ""
    assert len(probers(token)) == 1, "it listens, and its caller has come back"
    await_no_probers(token, 10.0)
