"""Ctrl-C while a playbook makes machines: what is under way is ended, nothing is left locked, the next run goes on."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from freehold.engine.lock import lock
from tests.ansible.tree import PATIENCE, Tree

pytestmark = pytest.mark.lab

MACHINES = """
    freehold: 1
    name: cottage
    domains:
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}, shelf: {ip: 10.100.11.11}}}
    """


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_playbook_leaves_nothing_half_done(tree: Tree, times: int) -> None:
    tree.synced(MACHINES)
    process = tree.start_site()
    journal = _making_machines(tree, process)

    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    played = tree.end_of_site(process)

    assert played.code != 0
    assert "User interrupted execution" in played.text
    events = _ended(journal)
    assert (events[-1]["event"], events[-1]["stopped"]) == ("run-finished", True)
    assert _is_gone(events[0]["pid"])
    assert "lock-taken-over" not in tree.ok("plan").err
    tree.site_ok()
    tree.settled()


def test_who_waits_for_another_run_can_be_interrupted(tree: Tree) -> None:
    tree.synced(MACHINES)
    with lock(tree.folder, "apply"):
        process = tree.start_site("--tags", "projects")
        time.sleep(4)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) != 0
    time.sleep(1)
    assert "home" not in {project["name"] for project in tree.get("/projects?recursion=1")}


def _making_machines(tree: Tree, process: "subprocess.Popen[str]") -> Path:
    """The journal of the run that has begun to make machines."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        for path in tree.runs()[-1:]:
            text = path.read_text()
            if "instance:" in text and '"step"' in text:
                return path
        time.sleep(0.01)
    raise AssertionError(tree.end_of_site(process).text)


def _ended(journal: Path) -> list[dict[str, object]]:
    """Its events, when it has written its end: Ansible that was ended twice does not wait for it."""
    until = time.monotonic() + PATIENCE
    while "run-finished" not in journal.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    return [json.loads(line) for line in journal.read_text().splitlines()]


def _is_gone(pid: object) -> bool:
    """Whether the process ends soon; one that nobody has buried yet is gone too."""
    stat = Path(f"/proc/{pid}/stat")
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False
