"""What the role host_ports makes of who may reach which port: the rules, and what becomes of those that nobody asks for any more.

That packets obey, tests/e2e/test_ports_on_hosts.py and the role's scenario see.
"""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docs.pages import ROOT

FILE = ROOT / "src/ansible_collections/freehold/estate/roles/host_ports/files/ports.py"
DB = {"service": "db", "port": 5432, "protocol": "tcp", "from": ["203.0.113.21"], "beside": False}


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program, on a host where nothing listens, with a folder of the test's own."""
    spec = importlib.util.spec_from_file_location("host_ports_program", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "in_use", lambda estate: set())
    return module


def lines(module: ModuleType, *asked: dict[str, Any]) -> list[str]:
    """The rules about ports."""
    text = module.ruleset("freehold_ports_maison", module.restricted(asked))
    return [line.strip() for line in text.splitlines() if " dport " in line]


def noted(module: ModuleType, *asked: dict[str, Any]) -> Any:
    """The estate on the host, after a run that asked for these."""
    keeper = module.Keeper("maison")
    note = {"rules": module.restricted(asked), "shown": ""}
    keeper.note.write_text(json.dumps(note))
    return keeper


def test_those_on_the_list_pass_and_nobody_else(ports: ModuleType) -> None:
    assert lines(ports, DB) == [
        "tcp dport 5432 ip saddr { 203.0.113.21/32 } accept",
        'tcp dport 5432 counter drop comment "db"',
    ]


def test_both_families_and_networks_that_overlap(ports: ModuleType) -> None:
    """nft refuses a set in which one thing is within another."""
    sources = ["192.168.1.7", "2001:db8::7", "192.168.1.0/24", "2001:db8::/32"]
    assert lines(ports, {**DB, "from": sources})[:2] == [
        "tcp dport 5432 ip saddr { 192.168.1.0/24 } accept",
        "tcp dport 5432 ip6 saddr { 2001:db8::/32 } accept",
    ]


def test_a_port_for_nobody_and_one_for_containers_beside(ports: ModuleType) -> None:
    meter = {"service": "meter", "port": 9100, "from": [], "beside": True}
    assert lines(ports, {**DB, "from": []}) == ['tcp dport 5432 counter drop comment "db"']
    assert lines(ports, meter)[0] == 'tcp dport 9100 iifname "svc-*" accept'


def test_a_port_for_all_needs_no_rule(ports: ModuleType) -> None:
    assert lines(ports, {**DB, "from": ["all"]}) == []


def test_a_name_is_what_it_leads_to(ports: ModuleType) -> None:
    assert "ip saddr { 127.0.0.1/32 }" in "\n".join(lines(ports, {**DB, "from": ["localhost"]}))
    with pytest.raises(SystemExit, match=r"nobody\.invalid, which may reach db, has no address"):
        ports.restricted([{**DB, "from": ["nobody.invalid"]}])


def test_a_port_that_left_infra_yml_stays_shut_while_something_is_behind_it(
    ports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = noted(ports, DB)
    assert keeper.wanted([], looking=False) == {}, "nothing is"
    assert keeper.wanted([], looking=True).keys() == {"tcp/5432"}, "no difference by itself"
    monkeypatch.setattr(ports, "in_use", lambda estate: {"tcp/5432", "tcp/80"})
    assert keeper.wanted([], looking=False) == ports.restricted([DB])
    assert keeper.wanted([{**DB, "from": ["all"]}], looking=False) == {}, "now it is for all"


def test_a_note_that_cannot_be_read_is_written_anew(ports: ModuleType) -> None:
    keeper = noted(ports, DB)
    keeper.note.write_text("{")
    assert keeper.noted() == {"rules": {}, "shown": ""}
    assert keeper.differences(ports.restricted([DB]))
