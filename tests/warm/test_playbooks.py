"""The real ansible-playbook on real machines: what users of the connection see, when all is well and when it is not."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.warm.machines import BARE, ONE, TWO, Machines, wait_until

pytestmark = pytest.mark.lab

MODULE = """
from ansible.module_utils.basic import AnsibleModule
import json, locale, os, resource, signal, sys, threading, time

def look():
    status = [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn", "SigCgt", "Threads"))]
    mask = os.umask(0)
    os.umask(mask)
    return {
        "folder": os.getcwd(), "mask": mask, "status": status, "path": [p for p in sys.path if "ansible" not in p],
        "environment": dict(os.environ), "files": resource.getrlimit(resource.RLIMIT_NOFILE), "nice": os.nice(0),
        "locale": locale.setlocale(locale.LC_ALL), "json": json.dumps([1]), "foreign": "mess" in sys.modules,
        "limit": sys.getrecursionlimit(), "zone": time.tzname, "threads": threading.active_count(),
    }

def mess():
    os.chdir("/tmp"); os.umask(0); os.environ["MESS"] = "1"; os.environ.pop("HOME"); sys.path.insert(0, "/tmp")
    signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); os.nice(5); sys.setrecursionlimit(300)
    os.environ["TZ"] = "Asia/Tokyo"; time.tzset(); locale.setlocale(locale.LC_ALL, "C")
    sys.modules["mess"] = sys; json.JSONEncoder.default = None
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

module = AnsibleModule({"do": {"type": "str", "required": True}})
if module.params["do"] == "exit":
    os._exit(3)
if module.params["do"] == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if module.params["do"] == "kill the program":
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
if module.params["do"] == "mess":
    mess()
module.exit_json(seen=look())
"""


@pytest.fixture
def own_module(machines: Machines) -> str:
    """A module of the playbook's own, that behaves as it is told."""
    library = machines.folder / "library"
    library.mkdir()
    (library / "behave.py").write_text(MODULE)
    return "behave"


def test_the_usual_tasks_do_what_they_say(machines: Machines) -> None:
    content = os.urandom(700_000)
    (machines.folder / "up").write_bytes(content)
    (machines.folder / "words.sh").write_text("#!/bin/sh\necho words of $1\n")
    ensure = "ansible.builtin.assert"
    tasks: list[Any] = [
        {"copy": {"src": "up", "dest": "/root/up", "mode": "0640"}},
        {"fetch": {"src": "/root/up", "dest": "down", "flat": True}},
        {"command": {"cmd": "cat", "stdin": "grün", "stdin_add_newline": False}, "register": "given"},
        {ensure: {"that": "given.stdout == 'grün'"}},
        {"shell": "echo \"$WORDS\"; echo bad >&2; exit 7", "environment": {"WORDS": "it's two"},
         "register": "ended", "failed_when": "ended.rc != 7"},
        {ensure: {"that": "ended.stdout == \"it's two\" and ended.stderr == 'bad'"}},
        {"user": {"name": "guest", "shell": "/bin/sh"}},
        {"command": "id -un", "become": True, "become_method": "su", "become_user": "guest", "register": "who"},
        {ensure: {"that": "who.stdout == 'guest'"}},
        {"script": "words.sh mine", "register": "said"},
        {ensure: {"that": "said.stdout_lines == ['words of mine']"}},
        {"raw": "echo raw; exit 0", "register": "raw"},
        {ensure: {"that": "raw.stdout_lines == ['raw']"}},
        {"shell": "sleep 1; echo later", "async": 20, "poll": 1, "register": "later"},
        {ensure: {"that": "later.stdout == 'later'"}},
        {"meta": "reset_connection"},
        {"wait_for_connection": {"timeout": 20}},
        {"file": {"path": "/root/up", "state": "absent"}},
    ]  # fmt: skip

    done = machines.playbook(tasks)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (machines.folder / "down").read_bytes() == content
    left = "find /tmp /root/.ansible/tmp -mindepth 1 ! -path '*-unix*' ! -path '*systemd*'"
    wait_until(
        lambda: machines.seen_inside(left) == ""
    )  # a task in the background tidies up by itself


def test_what_one_module_does_to_its_python_the_next_does_not_see(
    machines: Machines, own_module: str
) -> None:
    tasks: list[Any] = [
        {own_module: {"do": "look"}, "register": "before"},
        {own_module: {"do": "mess"}, "register": "within"},
        {own_module: {"do": "look"}, "register": "after"},
        {"copy": {"content": "{{ [before.seen, within.seen, after.seen] | to_json }}", "dest": "/root/seen"}},
        {"fetch": {"src": "/root/seen", "dest": "seen", "flat": True}},
    ]  # fmt: skip

    done = machines.playbook(tasks)

    assert done.returncode == 0, done.stdout + done.stderr
    before, within, after = json.loads((machines.folder / "seen").read_text())
    assert within["nice"] == before["nice"] + 5
    assert within["folder"] == "/tmp"
    assert after == before


@pytest.mark.parametrize("way", ["exit", "crash"])
def test_a_module_that_ends_abruptly_fails_and_the_next_works(
    machines: Machines, own_module: str, way: str
) -> None:
    done = machines.playbook(
        [
            {own_module: {"do": way}, "ignore_errors": True},
            {"ping": {}},
            {own_module: {"do": "look"}},
        ]
    )

    assert done.returncode == 0, done.stdout
    assert "ignored=1" in done.stdout
    assert "failed=0" in done.stdout
    assert {"exit": '"rc": 3', "crash": '"rc": 139'}[way] in done.stdout


def test_a_module_that_kills_the_program_is_told_and_not_repeated(
    machines: Machines, own_module: str
) -> None:
    done = machines.playbook(
        [{own_module: {"do": "kill the program"}, "ignore_unreachable": True}, {"ping": {}}]
    )

    assert "The command may have run, so it was not repeated" in " ".join(done.stdout.split())
    assert done.stdout.count("UNREACHABLE") == 1
    assert "ok=2" in done.stdout


def test_a_machine_without_python_is_told_in_a_moment(machines: Machines) -> None:
    done = machines.playbook([{"raw": "echo here"}, {"ping": {}}], hosts=(BARE,))

    assert done.returncode == 2, done.stdout
    assert "changed=1" in done.stdout
    assert "python3" in done.stdout
    assert "not found" in done.stdout


@pytest.mark.slow
def test_a_stopped_machine_is_unreachable_and_stops_nobody_else(machines: Machines) -> None:
    machines.incus("stop", "--force", TWO)
    try:
        done = machines.playbook([{"ping": {}}, {"ping": {}}], hosts=(ONE, TWO))
    finally:
        machines.incus("start", TWO)

    assert done.returncode == 4
    assert "UNREACHABLE" in done.stdout
    assert "Instance is not running" in done.stdout
    assert f"{ONE} " in done.stdout.rpartition("RECAP")[2]
    assert "ok=2" in done.stdout


def test_a_machine_that_goes_away_in_a_task_is_unreachable(machines: Machines) -> None:
    running = _begin(machines, {"command": "sleep 4321"})
    machines.incus("stop", "--force", ONE)
    machines.incus("start", ONE)
    said = running.communicate(timeout=90)[0]

    assert running.returncode == 4
    assert "The command may have run, so it was not repeated" in " ".join(said.split())


def test_a_play_that_is_killed_leaves_nothing_behind(machines: Machines) -> None:
    running = _begin(machines, {"command": "sleep 4321"})
    workers = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    assert workers

    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=30)

    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    wait_until(lambda: not _sleeping(machines))
    machines.end_keeper()
    wait_until(lambda: not machines.programs())
    assert list(Path(os.environ["XDG_RUNTIME_DIR"], "freehold").iterdir()) == []


@pytest.mark.slow
def test_three_hundred_hosts_at_once_lose_nothing(machines: Machines) -> None:
    hosts = tuple(f"host{number}" for number in range(300))
    name = "{{ ['one', 'two'][(inventory_hostname | replace('host', '') | int) % 2] }}"
    show = (
        "head -c 100000 /dev/zero | tr '\\0' x; echo {{ inventory_hostname }}; echo end >&2; exit 5"
    )
    tasks = [
        {"shell": show, "register": "said", "failed_when": (
            "said.rc != 5 or said.stdout != 'x' * 100000 ~ inventory_hostname or said.stderr != 'end'")},
    ]  # fmt: skip

    done = machines.playbook(tasks, "--forks", "50", hosts=hosts, ansible_host=name)

    assert done.returncode == 0, done.stdout[-3000:]
    assert done.stdout.count("failed=0") == 300


def _begin(machines: Machines, task: dict[str, Any]) -> "subprocess.Popen[str]":
    """A play whose task runs by now in the machine."""
    running = subprocess.Popen(
        machines.playbook_command([task]), env=machines.environment(), cwd=machines.folder,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_until(lambda: _sleeping(machines), 60)
    return running


def _sleeping(machines: Machines) -> bool:
    return "sleep 4321" in machines.seen_inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
