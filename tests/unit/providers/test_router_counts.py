"""What `freehold firewall` tells of the tables' own counts; listings are as nft 1.0.6 and 1.1.3 write them."""

import io
import json
from typing import Any

import pytest

from freehold.operations.firewall_counts import FirewallCounts
from freehold.providers.firewall.counts import counted, remembered
from freehold.views.firewall import counts_document, render_counts

NAMES = {"10.100.1.10": "perso/desk", "10.100.2.10": "pro/till"}
COUNTER = {"counter": {"packets": 3, "bytes": 180}}
IN_ELEMENT = {
    "val": {"concat": ["10.100.1.10", "10.100.2.10", "tcp", 22]},
    "expires": 3590,
    **COUNTER,
}
IN_STATEMENT = {
    "val": {"concat": ["10.100.1.10", "10.100.2.10", "tcp", 22]},
    "expires": 3590,
    "stmt": [COUNTER],
}
PING = {"val": {"concat": ["10.100.2.10", "10.100.1.10", "icmp"]}, "expires": 3000, **COUNTER}


def listing(*ported: Any) -> list[dict[str, Any]]:
    def rule(chain: str, packets: int, verdict: str) -> dict[str, Any]:
        counter = {"counter": {"packets": packets, "bytes": 0}}
        return {"rule": {"chain": chain, "expr": [counter, {verdict: None}]}}

    return [
        {"set": {"name": "dropped", "elem": [{"elem": each} for each in ported]}},
        {"set": {"name": "dropped_others", "elem": [{"elem": PING}]}},
        {"set": {"name": "subnets", "elem": ["10.100.1.0"]}},
        rule("opening", 10, "accept"),
        rule("opening", 5, "accept"),
        rule("deciding", 6, "drop"),
        {"rule": {"chain": "opening", "expr": [{"accept": None}]}},
    ]


def counts(**changed: Any) -> FirewallCounts:
    table = listing(IN_ELEMENT)
    known: dict[str, Any] = {
        "estate": "cottage",
        "machine": "admin/sys-firewall",
        "passed": counted(table, "accept"),
        "dropped": counted(table, "drop"),
        "latest": tuple(remembered(table)),
        "host_dropped": {"forward": 2},
        "names": NAMES,
    }
    return FirewallCounts(**(known | changed))


def shown(found: FirewallCounts) -> str:
    stream = io.StringIO()
    render_counts(found, stream)
    return stream.getvalue()


def test_rules_are_summed_by_chain_and_verdict() -> None:
    table = listing(IN_ELEMENT)
    assert counted(table, "accept") == {"opening": 15}
    assert counted(table, "drop") == {"deciding": 6}


@pytest.mark.parametrize("element", [IN_ELEMENT, IN_STATEMENT], ids=["element", "statement"])
def test_the_latest_drop_comes_first_whatever_nft_wrote_it(element: Any) -> None:
    first, second = remembered(listing(element))
    assert (first.source, first.target, first.protocol, first.port) == (
        "10.100.1.10",
        "10.100.2.10",
        "tcp",
        22,
    )
    assert (first.packets, first.seconds_ago) == (3, 10)
    assert (second.protocol, second.port, second.seconds_ago) == ("icmp", None, 600)


def test_people_read_machines_and_ports() -> None:
    lines = shown(counts()).splitlines()
    assert lines[1].split() == ["perso/desk", "pro/till", "tcp", "22", "3", "10", "s", "ago"]
    assert lines[2].split() == ["pro/till", "perso/desk", "icmp", "3", "10", "min", "ago"]
    assert "let 15 packets through between the domains and dropped 6" in " ".join(lines)


def test_a_machine_that_does_not_answer_lets_nothing_through() -> None:
    down = counts(passed=None, dropped=None, latest=None)
    assert "admin/sys-firewall does not answer" in shown(down)
    document = counts_document(down)
    assert (document["passed"], document["dropped"], document["latest"]) == (None, None, None)


def test_rules_on_the_host_count_and_do_not_remember() -> None:
    host = counts(machine=None, passed=None, dropped=None, latest=None)
    text = " ".join(shown(host).split())
    assert "The host dropped 2 packets itself." in text
    assert "not recorded" in text


def test_programs_read_numbers() -> None:
    document = json.loads(json.dumps(counts_document(counts())))
    assert document["passed"] == 15
    assert document["dropped_by_host"] == 2
    assert document["latest"][0] == {
        "source": "10.100.1.10",
        "target": "10.100.2.10",
        "protocol": "tcp",
        "port": 22,
        "packets": 3,
        "seconds_ago": 10,
    }
