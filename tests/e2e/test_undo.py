"""New rules that do not prove good are undone: whatever happens to Freehold, its operator, or admin meanwhile."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.estate import Estate
from tests.e2e.live_terminal import LiveTerminal
from tests.e2e.rules import becomes_true, in_lab, rules

pytestmark = pytest.mark.lab

NO_MACHINES = """
    freehold: 1
    name: cottage
    domains:
      home: {subnet_id: 11}
      lodge: {subnet_id: 12}
    policies:
      - {from: home, to: lodge, ports: [443, 8000-8099]}
      - {from: lodge, to: host, protocol: icmp}
    """
SESSION = Path(__file__).with_name("session.py")


@pytest.fixture
def old(estate: Estate) -> str:
    """The rules of an estate that stands, of which infra.yml now wants others."""
    estate.write(NO_MACHINES)
    estate.ok("apply", "--yes")
    estate.edit("lodge: {subnet_id: 12}", "lodge: {subnet_id: 12, internet: false}")
    loaded = rules(estate.lab)
    assert loaded
    return loaded


def is_back(estate: Estate, old: str, seconds: float) -> bool:
    return becomes_true(lambda: rules(estate.lab) == old, seconds)


@pytest.mark.slow
def test_a_terminal_that_answers_keeps_the_rules_whatever_is_typed(
    estate: Estate, old: str
) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", answers=2, typed=b"ls\x1b[A\x1b[1;2R\n")
    assert terminal.wait() == 0, terminal.seen
    assert terminal.asked == 2
    assert "Applied: 0 created, 1 changed" in terminal.seen
    estate.settled()
    assert rules(estate.lab) != old


@pytest.mark.slow
def test_a_terminal_that_never_answers_is_not_measured(estate: Estate, old: str) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", answers=0)
    assert terminal.wait() == 0, terminal.seen
    assert terminal.asked == 1
    estate.settled()


@pytest.mark.slow
def test_without_a_terminal_nothing_is_asked(estate: Estate, old: str) -> None:
    applied = estate.ok("apply", "--yes")
    assert "\x1b[5n" not in applied.out + applied.err
    estate.settled()


@pytest.mark.slow
def test_a_terminal_that_stops_answering_brings_the_old_rules_back(
    estate: Estate, old: str
) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", "--undo-after", "4", answers=1)
    terminal.expect_questions(2)
    assert rules(estate.lab) != old
    assert terminal.wait() == 1
    assert rules(estate.lab) == old
    said = " ".join(terminal.seen.split())
    assert "error[way-in-lost]: The new firewall rules cut a way in" in said
    assert "Your terminal did not answer for 3 s" in said
    assert "- {from: admin, to: host, ports: [22]}" in said
    assert estate.plan()["summary"]["update"] == 1


def test_after_a_kill_before_the_rules_are_kept_the_old_ones_are_back_within_a_second(
    estate: Estate, old: str
) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", answers=1)
    terminal.expect_questions(2)
    assert rules(estate.lab) != old
    os.kill(terminal.pid, signal.SIGKILL)
    assert is_back(estate, old, 3.0)
    assert terminal.wait() == -signal.SIGKILL
    estate.ok("apply", "--yes")
    estate.settled()


@pytest.mark.slow
def test_the_end_of_the_connection_is_such_a_kill(estate: Estate, old: str) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", answers=1)
    terminal.expect_questions(2)
    os.close(terminal._end)  # the kernel sends SIGHUP to who has it as its terminal
    assert is_back(estate, old, 3.0)
    assert terminal._process.wait(10) == -signal.SIGHUP
    estate.ok("apply", "--yes")
    estate.settled()


@pytest.mark.slow
def test_a_run_that_is_held_up_finds_the_old_rules_back_and_says_so(
    estate: Estate, old: str
) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", "--undo-after", "3", answers=1)
    terminal.expect_questions(2)
    os.kill(terminal.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    assert is_back(estate, old, 5.0)
    assert 2.0 < time.monotonic() - stopped < 4.5
    terminal.answers = 9
    os.kill(terminal.pid, signal.SIGCONT)
    assert terminal.wait() == 1
    said = " ".join(terminal.seen.split())
    assert "the time for them to prove good was over, so the rules from before are back" in said
    assert "freehold --lab apply --undo-after 60" in said
    assert rules(estate.lab) == old
    estate.ok("apply", "--yes")
    estate.settled()


@pytest.mark.slow
def test_a_second_ctrl_c_between_loading_and_keeping_undoes_too(estate: Estate, old: str) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", answers=1)
    terminal.expect_questions(2)
    terminal.interrupt()
    terminal.expect("! stopping")
    terminal.interrupt()
    assert terminal.wait() == 1
    assert "error[ended-at-once]" in terminal.seen
    assert is_back(estate, old, 3.0)


@pytest.mark.slow
def test_the_guard_itself_may_be_killed(estate: Estate, old: str) -> None:
    terminal = LiveTerminal(estate, "apply", "--yes", answers=1)
    terminal.expect_questions(2)
    [guard] = [pid for pid in descendants(terminal.pid) if is_guard(pid)]
    os.kill(guard, signal.SIGKILL)
    terminal.answers = 9
    assert terminal.wait() == 1
    assert "watched over them was killed, so the rules from before are back" in " ".join(
        terminal.seen.split()
    )
    assert rules(estate.lab) == old
    estate.ok("apply", "--yes")
    estate.settled()


def descendants(of: int) -> list[int]:
    """The processes that a process started, and those that these started."""
    found: list[int] = []
    for task in Path(f"/proc/{of}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def is_guard(pid: int) -> bool:
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return words[0] == sys.executable and any(word.endswith("guard.py") for word in words)


# --- An operator who sits in a machine of the estate ------------------------------------------------------------------

WITH_OPERATOR = """
    freehold: 1
    name: cottage
    domains:
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}}}
    policies:
      - {from: home/desk, to: host, ports: [2222]}
      - {from: home, to: host, protocol: icmp}
    """


@pytest.fixture
def session(estate: Estate) -> Iterator[int]:
    """A server on the lab's host that runs a shell in the estate's folder for whoever connects; its port."""
    holder = estate.lab.status().pid
    server = subprocess.Popen(
        ["nsenter", "--target", str(holder), "--net", "--", sys.executable, str(SESSION), "serve", "2222"],
        cwd=estate.folder, env=estate.environment() | {"TERM": "xterm"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield 2222
    finally:
        server.kill()
        server.communicate()


@pytest.mark.slow
def test_an_operator_in_a_machine_is_not_locked_out(estate: Estate, session: int) -> None:
    estate.write(WITH_OPERATOR)
    estate.ok("apply", "--yes")
    old = rules(estate.lab)
    estate.edit("  - {from: home/desk, to: host, ports: [2222]}\n", "")
    command = " ".join(estate.argv("apply", "--yes", "--undo-after", "6"))
    script = SESSION.read_text(encoding="utf-8")
    words = [
        "python3",
        "-c",
        script,
        "connect",
        "10.100.11.1",
        str(session),
        f"{command}; echo CODE=$?",
    ]
    client = subprocess.run(
        ["incus", "exec", "--project", "home", "home-desk", "-T", "--", *words],
        env=estate.lab.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    seen = estate.incus("file", "pull", "--project", "home", "home-desk/root/seen", "-")
    said = " ".join(seen.split())
    assert client.returncode == 0, (client, seen)
    assert "error[way-in-lost]" in said
    assert "Your terminal did not answer for 4 s" in said
    assert "- {from: home, to: host, ports: [2222]}" in said, "the domain and port it came by"
    assert "CODE=1" in said
    assert "still-42" in said, "the same session goes on"
    assert rules(estate.lab) == old


# --- What admin reaches -----------------------------------------------------------------------------------------------

WITH_ADMIN = """
    freehold: 1
    name: cottage
    domains:
      admin: {subnet_id: 10, trust: admin, machines: {ctl: {ip: 10.100.10.10}}}
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}}}
      pro: {subnet_id: 12, machines: {dev: {ip: 10.100.12.10}}}
    """
FOREIGN = """\
table inet foreign {
  chain passing {
    type filter hook forward priority 10; policy accept;
    ip saddr 10.100.10.0/24 ip daddr 10.100.12.0/24 drop
  }
}
"""
# Whoever loads rules through this nft loads somebody else's with them, once.
ACCOMPLICE = """\
#!/bin/sh
/usr/sbin/nft "$@" || exit
[ "$*" = "--json --file -" ] && mv {folder}/foreign {folder}/loaded 2>/dev/null && /usr/sbin/nft -f {folder}/loaded
exit 0
"""


def test_admin_that_no_longer_reaches_a_domain_undoes_the_change(
    estate: Estate, tmp_path: Path
) -> None:
    estate.write(WITH_ADMIN)
    estate.ok("apply", "--yes")
    old = rules(estate.lab)
    estate.edit("home: {subnet_id: 11,", "home: {subnet_id: 11, internet: false,")
    (tmp_path / "foreign").write_text(FOREIGN)
    (tmp_path / "nft").write_text(ACCOMPLICE.format(folder=tmp_path))
    (tmp_path / "nft").chmod(0o755)
    estate.prefix = ["env", f"PATH={tmp_path}:{os.environ['PATH']}"]
    failed = estate.freehold("apply", "--yes")
    estate.prefix = ()
    assert in_lab(estate.lab, "nft", "delete", "table", "inet", "foreign").returncode == 0
    assert failed.code == 1, failed
    assert "error[way-in-lost]" in failed.err
    for way in ("ICMP", "TCP"):
        assert f"No longer reached: admin/ctl to pro/dev (10.100.12.10) by {way}." in failed.err
    assert "home/desk (" not in failed.err
    assert "freehold --lab doctor" in failed.err
    assert rules(estate.lab) == old
    began = time.monotonic()
    estate.ok("apply", "--yes")
    assert time.monotonic() - began < 10, "all is well, so nobody waits"
    estate.settled()


@pytest.mark.slow
def test_who_was_not_reached_before_is_nobodys_loss(estate: Estate) -> None:
    estate.write(WITH_ADMIN)
    estate.ok("apply", "--yes")
    assert in_lab(estate.lab, "nft", "-f", "-", given=FOREIGN).returncode == 0
    try:
        estate.edit("home: {subnet_id: 11,", "home: {subnet_id: 11, internet: false,")
        estate.ok("apply", "--yes")
        estate.settled()
    finally:
        in_lab(estate.lab, "nft", "delete", "table", "inet", "foreign")


@pytest.mark.slow
def test_a_domain_that_is_admin_no_longer_loses_what_it_is_to_lose(estate: Estate) -> None:
    estate.write(WITH_ADMIN)
    estate.ok("apply", "--yes")
    estate.edit("trust: admin", "trust: trusted")
    estate.ok("apply", "--yes")
    estate.settled()
