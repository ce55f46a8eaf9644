"""From an empty folder to packages that dpkg sees inside, by one apply; and what every later run has to do, and has not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.estate import Done, Estate
from tests.e2e.events import Events
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

INSIDE = """\
defaults:
  provision:
    roles: [base_system]
    apt: [tree]
    templates: [{src: templates/greeting.j2, dest: /etc/greeting, mode: "0644"}]
    vars: {greeting: hello}
"""
MACHINES = {"admin/ansible", "perso/desktop", "pro/dev", "homelab/llm"}
INSTALLING = 500.0  # seconds; four machines take half a minute where nothing else runs


class Filled(Estate):
    """An estate of the `workstation` blueprint with something inside its machines."""

    def apply(self, *words: str) -> Done:
        process = self.start("apply", "--yes", *words)
        out, err = process.communicate(timeout=INSTALLING)
        assert process.returncode == 0, (out, err)
        return Done(process.returncode, out, err)

    def plays(self) -> int:
        """How often Ansible was started for a machine: each time leaves a log."""
        return len(list((self.folder / ".freehold" / "provision").glob("*.log")))

    def greetings(self) -> dict[str, str]:
        return {each: self.inside(each, "cat", "/etc/greeting").strip() for each in MACHINES}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with throwaway_lab(egress=True) as lab:
        estate = Filled(tmp_path_factory.mktemp("estate"), lab)
        estate.ok("init", ".", "--blueprint", "workstation")
        estate.edit("defaults:\n", INSIDE)
        templates = estate.folder / "templates"
        templates.mkdir()
        (templates / "greeting.j2").write_text("{{ greeting }} from {{ freehold_machine }}\n")
        yield estate


def test_one_apply_makes_the_machines_and_what_is_inside(filled: Filled) -> None:
    done = filled.apply()
    assert "Applied: " in done.err
    status = "-f=${Status}"
    for machine in MACHINES:
        assert filled.inside(machine, "dpkg-query", "-W", status, "tree") == "install ok installed"
    assert filled.greetings() == {each: f"hello from {each}" for each in MACHINES}


def test_the_second_apply_starts_no_ansible_and_writes_nothing(filled: Filled) -> None:
    plays = filled.plays()
    with Events(filled.lab.socket) as events:
        again = filled.ok("apply", "--yes")
        filled.settled()
        filled.incus("project", "set", "pro", "user.note=a-real-write")
        events.wait_for("project-updated")
    assert "Nothing to do: everything is as infra.yml says." in again.out
    assert filled.plays() == plays
    written = [event["metadata"].get("action") for event in events.heard]
    assert written == ["project-updated"], "only the write that shows that writes are counted"


def test_a_changed_variable_is_that_machines_alone(filled: Filled) -> None:
    plays = filled.plays()
    own = "ip: 10.100.2.10, provision: {vars: {greeting: good morning}}"
    filled.edit("ip: 10.100.2.10", own)
    planned = filled.plan()
    assert {each["address"] for each in planned["changes"]} == {
        "file:host/host_vars/pro-dev.yml",
        "provision:pro/dev",
    }
    filled.apply()
    assert filled.plays() == plays + 1
    assert filled.greetings()["pro/dev"] == "good morning from pro/dev"
    assert filled.greetings()["perso/desktop"] == "hello from perso/desktop"


def test_what_was_changed_by_hand_inside_is_found_and_mended_when_asked(filled: Filled) -> None:
    deep = filled.start("verify", "--deep")
    out, err = deep.communicate(timeout=INSTALLING)
    assert deep.returncode == 0, (out, err)
    assert f"Inside: {len(MACHINES)} of {len(MACHINES)} machines are as infra.yml says." in out

    filled.inside("homelab/llm", "sh", "-c", "echo changed > /etc/greeting")
    assert filled.ok("plan", "--json").document["changes"] == []
    only = ("--limit", "homelab/llm")
    deep = filled.start("verify", "--deep", "--json", *only)
    out, err = deep.communicate(timeout=INSTALLING)
    assert deep.returncode == 2, (out, err)
    [inside] = Done(2, out, err).document["inside"]
    assert (inside["machine"], inside["clean"], len(inside["different"])) == (
        "homelab/llm",
        False,
        1,
    )
    assert "changed" in filled.inside("homelab/llm", "cat", "/etc/greeting"), (
        "looking mends nothing"
    )

    filled.apply("--refresh", *only)
    assert filled.greetings()["homelab/llm"] == "hello from homelab/llm"


def test_the_tree_is_ansibles_too(filled: Filled) -> None:
    """Somebody's own command, in the folder, with nothing but Ansible's words."""
    argv = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "site.yml",
        "-e",
        "freehold_lab=true",
    ]
    done = subprocess.run(
        argv, cwd=filled.folder, env=filled.environment() | {"ANSIBLE_NOCOLOR": "1", "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALLING, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    recap = done.stdout.partition("PLAY RECAP")[2]
    hosts = [line for line in recap.splitlines() if "changed=" in line]
    assert len(hosts) == 2 * len(MACHINES)  # a machine and a domain each
    assert all("changed=0 " in line for line in hosts), recap
