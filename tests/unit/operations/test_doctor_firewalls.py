"""What the doctor makes of rules without a kernel. Real rules and packets are in tests/firewall/test_coexistence.py."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from freehold.operations.doctor import NotMeasured, Result, Subject, firewalls, leftovers, network
from freehold.operations.doctor.docker import docker
from freehold.operations.doctor.iptables_rules import ruleset
from freehold.operations.doctor.nft_rules import rulesets
from freehold.operations.doctor.packets import ELSEWHERE, Action, Packet, Rule, Ruleset
from freehold.system.iptables import FilterTable
from tests.unit.operations.estates import estate

OUT = Packet("net-a", ELSEWHERE)
BACK = Packet(ELSEWHERE, "net-a", state="established")
DNS = Packet("net-a", protocol="udp", port="53", sent_to="local")


@pytest.fixture
def computer(tmp_path: Path) -> Subject:
    return Subject(socket=tmp_path / "none", state=tmp_path, root=tmp_path, infra=estate([4]))


# --- following rules


def iptables(*rules: str, policy: str = "DROP", **chains: list[str]) -> Ruleset:
    every = {"FORWARD": rules, **{name: tuple(found) for name, found in chains.items()}}
    policies = {"FORWARD": policy}
    return ruleset(FilterTable("ip", False, "iptables", policies, every))


def passes(rules: Ruleset, packet: Packet) -> bool:
    return rules.obstacle("FORWARD", packet) is None


@pytest.mark.parametrize(
    ("rules", "passing"),
    [
        ([], False),
        (["-j ACCEPT"], True),
        (["-i net-a -j ACCEPT"], True),
        (["-i net+ -j ACCEPT"], True),
        (["-i net-b -j ACCEPT"], False),
        (["! -i net-b -j ACCEPT"], True),
        (["! -i net-a -j ACCEPT"], False),
        (["-i net-a ! -o docker0 -j ACCEPT"], True),
        (["-i net-a -o docker0 -j ACCEPT"], False),
        (["-i net-a -p udp -m udp --dport 443 -j ACCEPT"], False),
        (["-i net-a -p tcp -m tcp --dport 443 -j ACCEPT"], True),
        (["-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"], False),
        (["-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"], True),
        (["-m set --match-set good src -j ACCEPT"], False),
        (['-i net-a -m comment --comment "-j DROP" -j ACCEPT'], True),
        (["-i net-a -j LOG", "-i net-a -j ACCEPT"], True),
        (["-i net-a -j REJECT --reject-with icmp-port-unreachable", "-j ACCEPT"], False),
        (["-j RETURN", "-j ACCEPT"], False),
    ],
)
def test_iptables_is_followed_rule_by_rule(rules: list[str], passing: bool) -> None:
    assert passes(iptables(*rules), OUT) is passing


def test_jumps_come_back_and_gotos_do_not() -> None:
    skip = ["-i net-a -j RETURN", "-j DROP"]
    assert passes(iptables("-j SKIP", "-j ACCEPT", SKIP=skip), OUT)
    assert not passes(iptables("-g SKIP", "-j ACCEPT", SKIP=skip), OUT)
    assert passes(iptables("-g SKIP", policy="ACCEPT", SKIP=skip), OUT)


def test_rules_that_call_each_other_end() -> None:
    assert not passes(iptables("-j A", A=["-j B"], B=["-j A"]), OUT)


def test_the_rule_that_drops_is_known_with_its_chain() -> None:
    found = iptables("-j INNER", INNER=["-i net-a -j DROP"]).obstacle("FORWARD", OUT)
    assert found is not None
    assert found.rule is not None
    assert (found.base, found.chain, found.rule.words) == ("FORWARD", "INNER", "-i net-a -j DROP")
    by_policy = iptables().obstacle("FORWARD", OUT)
    assert by_policy is not None
    assert by_policy.rule is None


def nft(*expressions: list[dict[str, Any]], policy: str = "drop") -> Ruleset:
    base = {"family": "inet", "table": "t", "name": "FORWARD", "hook": "forward", "policy": policy}
    rules = [
        {"rule": {"family": "inet", "table": "t", "chain": "FORWARD", "handle": i, "expr": list(e)}}
        for i, e in enumerate(expressions)
    ]
    [found] = rulesets([{"metainfo": {}}, {"table": {}}, {"chain": base}, *rules])
    return found


def match(left: dict[str, Any], right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


IIFNAME = {"meta": {"key": "iifname"}}
DPORT = {"payload": {"protocol": "udp", "field": "dport"}}
STATE = {"ct": {"key": "state"}}
ACCEPT: dict[str, Any] = {"accept": None}


@pytest.mark.parametrize(
    ("expression", "packet", "passing"),
    [
        ([ACCEPT], OUT, True),
        ([match(IIFNAME, "net-a"), {"counter": {}}, ACCEPT], OUT, True),
        ([match(IIFNAME, "net-*"), ACCEPT], OUT, True),
        ([match(IIFNAME, "net-a", "!="), ACCEPT], OUT, False),
        ([match(IIFNAME, {"set": ["lo", "net-a"]}), ACCEPT], OUT, True),
        ([match(IIFNAME, "@bridges"), ACCEPT], OUT, False),
        ([match(STATE, ["established", "related"], "in"), ACCEPT], OUT, False),
        ([match(STATE, ["established", "related"], "in"), ACCEPT], BACK, True),
        ([{"xt": {"type": "match", "name": "conntrack"}}, ACCEPT], BACK, True),
        ([{"xt": {"type": "match", "name": "limit"}}, ACCEPT], BACK, False),
        ([{"limit": {"rate": 1, "per": "second"}}, ACCEPT], OUT, False),
        ([match(DPORT, 53), ACCEPT], DNS, True),
        ([match(DPORT, {"range": [50, 60]}), ACCEPT], DNS, False),
        ([match(DPORT, 443), ACCEPT], OUT, False),
        ([match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"), ACCEPT], DNS, True),
        ([match({"meta": {"key": "mark"}}, 1), ACCEPT], OUT, False),
        ([{"vmap": {"key": IIFNAME, "data": "@zones"}}], OUT, False),
    ],
)
def test_nft_is_followed_rule_by_rule(
    expression: list[dict[str, Any]], packet: Packet, passing: bool
) -> None:
    assert passes(nft(expression), packet) is passing


@pytest.mark.parametrize(
    ("rules", "shut"),
    [
        (nft(), True),
        (nft([{"counter": {}}, {"drop": None}], policy="accept"), True),
        (nft(policy="accept"), False),
        (nft([match(IIFNAME, "eth0"), {"drop": None}], policy="accept"), False),
        (nft([match(IIFNAME, "eth0"), ACCEPT]), False),
    ],
)
def test_a_table_that_only_drops_is_told_from_one_that_chooses(rules: Ruleset, shut: bool) -> None:
    assert rules.is_shut is shut


def test_a_table_that_lets_the_host_be_reached_is_in_use() -> None:
    chains = {"forward": (), "input": (Rule("accept", (), Action.ACCEPT),)}
    hooks = {name: name for name in chains}
    in_use = Ruleset("inet", "filter", None, chains, hooks, frozenset(chains))
    assert not in_use.is_shut


# --- asking


def nft_says(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program nft, and no iptables."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name, text in {
        "nft": script, "ip6tables-save": "exit 1", "iptables-save": "exit 1",
        "ip6tables-nft-save": "true", "iptables-nft-save": "true",
    }.items():  # fmt: skip
        (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")


def chain(table: str, name: str, policy: str = "drop") -> dict[str, Any]:
    return {
        "chain": {"family": "ip", "table": table, "name": name, "hook": "forward", "policy": policy}
    }


@pytest.mark.allow("process")
def test_dockers_chains_are_known_by_nft_alone(
    computer: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the rules are Docker's and iptables is not installed for who looks."""
    user = {"chain": {"family": "ip", "table": "filter", "name": "DOCKER-USER"}}
    listed = json.dumps({"nftables": [chain("filter", "FORWARD"), user]})
    nft_says(computer.root, monkeypatch, f"echo '{listed}'")
    monkeypatch.setattr("freehold.operations.doctor.passage.read_tables", lambda prefix: [])
    found = docker(computer)
    assert found.result is Result.WARNING
    assert "chain FORWARD of the table ip filter: policy drop" in found.detail
    assert "freehold apply" not in (found.remedy or ""), "it needs iptables"
    assert "nft 'insert rule ip filter DOCKER-USER iifname \"net-*\" accept'" in (
        found.remedy or ""
    )


@pytest.mark.allow("process")
@pytest.mark.parametrize(
    "words", ["Operation not permitted (you must be root)", "nsenter: Permission denied"]
)
def test_who_may_not_ask_the_kernel_gets_no_verdict(
    words: str, computer: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    nft_says(computer.root, monkeypatch, f"echo '{words}' >&2; exit 1")
    looks = (
        network.nftables, docker, firewalls.firewalld, network.others, leftovers.leftover_tables
    )  # fmt: skip
    for look in looks:
        with pytest.raises(NotMeasured, match="Only root"):
            look(computer)


@pytest.mark.allow("process")
def test_a_kernel_that_refuses_the_rules_is_an_error(
    computer: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = "echo 'Error: Could not process rule: Operation not supported' >&2; exit 1"
    nft_says(computer.root, monkeypatch, refusal)
    found = network.nftables(computer)
    assert found.result is Result.ERROR
    assert "Operation not supported" in found.detail


@pytest.mark.allow("process")
@pytest.mark.parametrize(
    ("enabled", "policy", "result"),
    [
        ("yes", "DROP", Result.NOT_MEASURED),
        ("yes", "REJECT", Result.NOT_MEASURED),
        ("yes", "ACCEPT", Result.OK),
        ("no", "DROP", Result.OK),
    ],
)
def test_without_root_ufws_files_say_what_it_is_meant_to_do(
    enabled: str,
    policy: str,
    result: Result,
    computer: Subject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nft_says(computer.root, monkeypatch, "exit 1")
    for path, text in {
        "etc/ufw/ufw.conf": f"# comment\nENABLED={enabled}\n",
        "etc/default/ufw": f'DEFAULT_FORWARD_POLICY="{policy}"\n',
    }.items():
        (computer.root / path).parent.mkdir(parents=True, exist_ok=True)
        (computer.root / path).write_text(text)
    found = firewalls.ufw(computer)
    assert found.result is result
    if result is Result.NOT_MEASURED:
        assert f'DEFAULT_FORWARD_POLICY="{policy}"' in found.detail
        assert "sudo ufw route allow in on net-d0" in (found.remedy or "")
