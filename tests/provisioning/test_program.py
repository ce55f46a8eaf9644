"""Ansible as a program: a real `ansible-playbook` on this computer itself, in a tree that needs no machine."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from freehold.system.ansible import Play, PlayEnd
from freehold.system.ansible.program import AnsibleProgram

INVENTORY = "desk: {hosts: {here: {ansible_connection: local}}}\n"
SETTINGS = f"[defaults]\ninventory = hosts.yml\ninterpreter_python = {sys.executable}\n"


class Tree:
    """A folder with a playbook whose tasks are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "logs" / "here.log"
        self.told: list[str] = []
        (folder / "hosts.yml").write_text(INVENTORY)
        (folder / "ansible.cfg").write_text(SETTINGS)

    def write(self, tasks: str, more: str = "") -> None:
        head = "- hosts: here\n  gather_facts: false\n  tags: [provision]\n"
        lines = "".join(f"    {line}\n" for line in tasks.splitlines())
        (self.folder / "site.yml").write_text(f"{head}{more}  tasks:\n{lines}")

    async def start(self, *, check: bool = False) -> PlayEnd:
        play = Play(host="here", tags=["provision"], log=self.log, check=check)
        return await AnsibleProgram(self.folder).run(play, self.told.append)

    def run(self, *, check: bool = False) -> PlayEnd:
        return asyncio.run(self.start(check=check))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_what_is_done_is_told_and_what_changed_is_named(tree: Tree) -> None:
    tree.write(
        "- {name: Write, ansible.builtin.copy: {content: a, dest: ./a}}\n- ansible.builtin.stat: {path: a}"
    )
    end = tree.run()
    assert not end.failed
    assert end.changed == ("Write",)
    assert end.tasks == 2
    assert tree.told == ["Write", "ansible.builtin.stat"]
    assert "PLAY RECAP" in tree.log.read_text()
    assert tree.run().changed == ()


def test_check_mode_changes_nothing_and_says_what_would(tree: Tree) -> None:
    tree.write("- {name: Write, ansible.builtin.copy: {content: a, dest: ./a}}")
    end = tree.run(check=True)
    assert end.changed == ("Write",)
    assert not (tree.folder / "a").exists()


def test_a_failed_task_is_named_with_its_role_and_its_cause(tree: Tree) -> None:
    tasks = tree.folder / "roles" / "shop" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text(
        "- name: Open\n  ansible.builtin.command: sh -c 'echo no key >&2; exit 7'\n"
    )
    tree.write("- {name: Never, ansible.builtin.ping: {}}", more="  roles: [shop]\n")
    (failure,) = tree.run().failures
    assert (failure.role, failure.task) == ("shop", "Open")
    assert failure.reason == "exit code 7\nno key"


def test_an_item_that_fails_in_a_loop_says_why(tree: Tree) -> None:
    tree.write(
        "- name: Each\n  ansible.builtin.command: sh -c 'echo {{ item }} >&2; exit {{ item }}'\n  loop: [0, 3]"
    )
    (failure,) = tree.run().failures
    assert failure.reason.splitlines()[:2] == ["exit code 3", "3"]


def test_a_failure_that_is_ignored_is_none(tree: Tree) -> None:
    tree.write("- ansible.builtin.command: 'false'\n  ignore_errors: true")
    assert not tree.run().failed


def test_what_a_task_keeps_secret_is_not_told(tree: Tree) -> None:
    tree.write(
        "- name: Log in\n  no_log: true\n  ansible.builtin.command: sh -c 'echo hunter2; echo hunter2 >&2; exit 1'"
    )
    (failure,) = tree.run().failures
    assert "hunter2" not in failure.reason + tree.log.read_text()
    assert "no_log" in failure.reason


def test_a_playbook_that_cannot_be_read_fails_with_ansibles_words(tree: Tree) -> None:
    tree.write("- {name: Nonsense, ansible.builtin.nothing_like_it: {}}")
    end = tree.run()
    assert end.failed
    assert not end.failures
    assert "nothing_like_it" in end.words


def test_the_log_is_its_owners_alone(tree: Tree) -> None:
    tree.write("- ansible.builtin.ping: {}")
    tree.run()
    assert tree.log.stat().st_mode & 0o077 == 0


def test_something_that_outlives_the_play_does_not_hold_it_up(tree: Tree) -> None:
    tree.write(
        "- ansible.builtin.shell: 'setsid sleep 90 >/dev/null 2>&1 </dev/null & echo $! > pid'"
    )
    began = time.monotonic()
    assert not tree.run().failed
    os.kill(int((tree.folder / "pid").read_text()), 15)
    assert time.monotonic() - began < 60


def test_a_play_that_is_given_up_ends_with_what_it_started(tree: Tree) -> None:
    tree.write("- ansible.builtin.command: sh -c 'echo $$ > pid; exec sleep 60'")

    pid = tree.folder / "pid"

    async def give_up() -> None:
        running = asyncio.create_task(tree.start())
        await asyncio.to_thread(wait_for, lambda: pid.is_file() and pid.read_text())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(give_up())
    started = Path("/proc", pid.read_text().strip())
    wait_for(lambda: not started.exists())


def wait_for(met: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_play_ends_with_a_freehold_that_is_killed(tree: Tree) -> None:
    tree.write("- ansible.builtin.command: sh -c 'echo $PPID > pid; exec sleep 60'")
    pid = tree.folder / "pid"
    program = f"""
import asyncio
from pathlib import Path
from freehold.system.ansible import Play
from freehold.system.ansible.program import AnsibleProgram
play = Play(host="here", tags=["provision"], log=Path({str(tree.log)!r}))
asyncio.run(AnsibleProgram(Path({str(tree.folder)!r})).run(play, print))
"""
    freehold = subprocess.Popen([sys.executable, "-c", program])
    wait_for(lambda: pid.is_file() and pid.read_text())
    play = [
        each for each in processes() if str(tree.folder) in cwd(each) and "playbook" in argv(each)
    ]
    assert play
    freehold.kill()
    freehold.wait()
    wait_for(lambda: not any(Path("/proc", each).exists() for each in play))


def processes() -> list[str]:
    return [each.name for each in Path("/proc").iterdir() if each.name.isdigit()]


def cwd(pid: str) -> str:
    with suppress(OSError):
        return str(Path("/proc", pid, "cwd").readlink())
    return ""


def argv(pid: str) -> str:
    with suppress(OSError):
        return Path("/proc", pid, "cmdline").read_text()
    return ""
