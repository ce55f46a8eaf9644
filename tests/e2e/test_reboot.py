"""The rules stand before the first machine does, at every start of the host; without them no machine starts."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from tests.e2e.estate import Estate
from tests.e2e.rules import TABLE, becomes_true, in_lab, rules
from tests.throwaway import throwaway_lab

pytestmark = pytest.mark.lab

CHATTER = Path(__file__).with_name("chatter.py")
UNIT = """\
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/usr/bin/python3 /root/chatter.py {address}
Restart=always
[Install]
WantedBy=sysinit.target
"""
TWO_DOMAINS = """
    freehold: 1
    name: cottage
    domains:
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}}}
      lodge: {subnet_id: 12, machines: {till: {ip: 10.100.12.10}}}
    """
MACHINES = {"home": ("home-desk", "10.100.12.10"), "lodge": ("lodge-till", "10.100.11.10")}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Estate]:
    """An estate in a lab that this test may stop: two machines that talk to each other without a pause."""
    with throwaway_lab() as lab:
        estate = Estate(tmp_path, lab)
        estate.write(TWO_DOMAINS)
        estate.ok("apply", "--yes")
        yield estate


def make_talkative(estate: Estate) -> None:
    for domain, (machine, address) in MACHINES.items():
        unit = estate.folder / "chatter.service"
        unit.write_text(UNIT.format(address=address))
        for source, target in (
            (CHATTER, "root/chatter.py"),
            (unit, "etc/systemd/system/chatter.service"),
        ):
            estate.incus("file", "push", "--project", domain, str(source), f"{machine}/{target}")
        enable = ["systemctl", "enable", "--quiet", "--now", "chatter.service"]
        estate.inside(machine.replace("-", "/"), *enable)
    assert becomes_true(lambda: all(sent(estate, domain) > 0 for domain in MACHINES), 60)


def sent(estate: Estate, domain: str) -> int:
    machine, _ = MACHINES[domain]
    command = ["sh", "-c", "cat /root/sent 2>/dev/null || echo 0"]
    return int(estate.inside(machine.replace("-", "/"), *command) or 0)


def heard(estate: Estate) -> list[str]:
    """What came across, in both machines."""
    found: list[str] = []
    for machine, _ in MACHINES.values():
        command = ["sh", "-c", "cat /root/heard 2>/dev/null || true"]
        found += estate.inside(machine.replace("-", "/"), *command).splitlines()
    return found


def restart_numbers(estate: Estate) -> None:
    for machine, _ in MACHINES.values():
        estate.inside(machine.replace("-", "/"), "rm", "-f", "/root/sent")


@pytest.mark.slow
def test_nothing_crosses_at_a_reboot_or_a_restart_of_incus(own: Estate) -> None:
    make_talkative(own)
    old = rules(own.lab)
    restart_numbers(own)
    own.lab.stop()
    own.lab.start()
    assert rules(own.lab) == old
    assert becomes_true(lambda: all(sent(own, domain) > 100 for domain in MACHINES), 60)
    assert heard(own) == []
    own.settled()

    own.lab.restart_daemon()
    time.sleep(1)
    assert rules(own.lab) == old
    assert heard(own) == []

    assert in_lab(own.lab, "nft", "delete", "table", "inet", TABLE).returncode == 0
    assert becomes_true(lambda: heard(own) != [], 60), "they would have been heard"
    plan = own.plan()
    assert [change["address"] for change in plan["changes"]] == ["firewall:host"]
    own.ok("apply", "--yes")
    time.sleep(0.5)
    before = heard(own)
    time.sleep(1)
    assert heard(own) == before, "the next apply heals it"
    own.settled()


@pytest.mark.slow
def test_without_its_rules_no_machine_starts(own: Estate) -> None:
    own.lab.stop()
    kept = own.lab.root / "firewall" / f"{TABLE}.json"
    whole = kept.read_text()
    kept.write_text(whole[: len(whole) // 2])
    with pytest.raises(BackendError) as refused:
        own.lab.start()
    assert str(kept) in refused.value.diagnostics[0].detail
    assert not own.lab.running
    kept.write_text(whole)
    own.lab.start()
    own.settled()


@pytest.mark.slow
def test_destroy_leaves_nothing(own: Estate) -> None:
    folder = own.lab.root / "firewall"
    assert json.loads((folder / f"{TABLE}.json").read_text())["nftables"]
    own.ok("destroy", "--yes", "--confirm", "cottage")
    assert rules(own.lab) == ""
    assert "freehold" not in in_lab(own.lab, "nft", "list", "ruleset").stdout
    assert not folder.exists()
    own.lab.stop()
    own.lab.start()
    assert rules(own.lab) == ""
