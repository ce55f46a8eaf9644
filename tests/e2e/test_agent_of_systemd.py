"""The agent for control machines as a unit, on a computer that systemd really starts: a container plays the host."""

import json
import signal
from typing import Any

import pytest

from tests.e2e.test_unit_of_systemd import SOURCE, Computer, computer

__all__ = ["computer"]

pytestmark = [pytest.mark.lab, pytest.mark.slow]

UNIT = "freehold-agent@cottage.service"
SOCKET = "/run/freehold/cottage/agent.socket"
ASK = """\
import asyncio, json, sys
from dataclasses import asdict
from pathlib import Path
from freehold.system.host_agent.program import AgentProgram
agents = AgentProgram.of_this_computer(Path("/var/lib/incus/unix.socket"))
async def work():
    if sys.argv[1] == "keep":
        await agents.keep("cottage", "10.100.0.0/16")
    elif sys.argv[1] == "forget":
        await agents.forget("cottage")
    state = await agents.read("cottage")
    print(json.dumps(state and asdict(state)))
asyncio.run(work())
"""
WELL = {"base": "10.100.0.0/16", "is_current": True, "answers": True, "stays": True}


def agent(computer: Computer, word: str) -> Any:
    """What is known of the agent after that was done: keep, forget, or nothing but look."""
    return json.loads(computer.sh(f"PYTHONPATH=/root/src python3 -c '{ASK}' {word}"))


def test_it_runs_from_a_copy_of_its_own_and_is_back_after_a_restart(computer: Computer) -> None:
    assert agent(computer, "look") is None
    assert agent(computer, "keep") == WELL
    assert computer.sh(f"systemd-analyze verify {UNIT} 2>&1") == ""
    assert computer.sh(f"stat -c %a:%U {SOCKET}") == "600:root\n"
    assert computer.sh("stat -c %a /run/freehold/cottage") == "700\n"

    computer.sh("mv /root/src /root/elsewhere")
    computer.reboot()
    assert computer.sh(f"systemctl is-active {UNIT}") == "active\n"
    computer.sh("mv /root/elsewhere /root/src")
    assert agent(computer, "look") == WELL


def test_it_is_back_when_it_was_killed(computer: Computer) -> None:
    agent(computer, "keep")
    computer.sh(f"systemctl kill --signal={signal.SIGKILL.name} {UNIT}; sleep 0.2")
    computer.sh(
        f"for n in $(seq 100); do [ -S {SOCKET} ] && systemctl is-active {UNIT} && break; sleep 0.1; done"
    )
    assert agent(computer, "look") == WELL


def test_one_that_is_not_as_it_was_made_is_told(computer: Computer) -> None:
    for spoiled, told in (
        (f"systemctl disable --quiet {UNIT}", {"stays": False}),
        ("echo '# mine' >> /etc/systemd/system/freehold-agent@.service", {"stays": False}),
        ("echo '# mine' >> /var/lib/freehold/agent/code/freehold/__init__.py", {"stays": False}),
        (f"systemctl stop {UNIT}", {"answers": False}),
        (f"echo '# newer' >> /root/src/{SOURCE.name}/__init__.py", {"is_current": False, "stays": False}),
    ):  # fmt: skip
        assert agent(computer, "keep") == WELL
        computer.sh(f"{spoiled} 2>&1")
        assert agent(computer, "look") == WELL | told, spoiled
    assert agent(computer, "keep") == WELL


def test_it_is_taken_away_with_all_that_belongs_to_it(computer: Computer) -> None:
    agent(computer, "keep")
    assert agent(computer, "forget") is None
    left = "ls -d /var/lib/freehold/agent /run/freehold/cottage /etc/systemd/system/*freehold* 2>/dev/null || true"
    assert computer.sh(left) == ""
    assert computer.sh(f"systemctl is-active {UNIT} || true") == "inactive\n"
