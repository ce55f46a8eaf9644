"""`freehold sync`, as typed: no server, no question, and Ansible understands what it writes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PROGRAM, Done, Freehold

INSIDE = """\
        provision:
          apt: [git]
          script: [{src: files/setup.sh, creates: /opt/done}]
          files: [{src: files/setup.sh, dest: /opt/setup.sh, mode: "0755"}]
          roles: [base_system, shop]
          vars: {shop_name: "yes: {{ freehold_estate }}", shop_odd: "0755", base_system_timezone: Europe/Paris}
"""
ROLE = """\
---
- name: Say the name
  ansible.builtin.debug:
    msg: "{{ shop_name }}"
"""
OLD = "  old: {subnet_id: 9, machines: {box: {}}}\n"


@pytest.fixture
def estate(freehold: Freehold, tmp_path: Path) -> Path:
    """The workstation's folder, with something inside of homelab/llm."""
    freehold("init")
    infra = tmp_path / "infra.yml"
    infra.write_text(infra.read_text().rstrip() + "\n" + INSIDE)
    for name, text in (("files/setup.sh", "#!/bin/sh\n"), ("roles/shop/tasks/main.yml", ROLE)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def ansible(folder: Path, program: str, *words: str) -> Done:
    """One of Ansible's commands, typed in the estate's folder."""
    return subprocess.run(
        [str(PROGRAM.parent / program), *words],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_tree_is_written_without_a_question_and_the_second_time_nothing_is(
    freehold: Freehold, estate: Path
) -> None:
    dry = freehold("sync", "--dry-run")
    assert dry.returncode == 0
    assert dry.stdout.endswith("Plan: 14 to create, 0 to change, 0 to delete, 0 unchanged, 0 orphans.\n")  # fmt: skip
    assert not (estate / "site.yml").exists()
    first = freehold("sync")
    assert first.returncode == 0, first.stderr
    assert "Applied: 14 created" in first.stderr
    second = freehold("sync")
    assert second.returncode == 0
    assert second.stderr == ""
    assert second.stdout.startswith("Nothing to do: everything is as infra.yml says.\n")


def test_json_is_the_plan_or_the_run(freehold: Freehold, estate: Path) -> None:
    plan = json.loads(freehold("sync", "--dry-run", "--json").stdout)
    assert plan["summary"]["create"] == 14
    run = json.loads(freehold("--json", "sync").stdout)
    assert run["kind"] == "run"
    assert json.loads(freehold("sync", "--json").stdout)["kind"] == "run"


def test_a_domain_that_goes_leaves_orphans_that_prune_deletes(
    freehold: Freehold, estate: Path
) -> None:
    infra = estate / "infra.yml"
    before = infra.read_text()
    infra.write_text(before + OLD)
    freehold("sync")
    infra.write_text(before)
    done = freehold("sync")
    assert done.returncode == 0
    assert "file host/group_vars/old.yml" in done.stdout
    assert "2 orphans" in done.stdout
    assert (estate / "group_vars/old.yml").exists()
    kept = estate / "host_vars/old-box.yml"
    kept.write_text(kept.read_text() + "mine: 1\n")
    pruned = freehold("sync", "--prune")
    assert pruned.returncode == 0
    assert not (estate / "group_vars/old.yml").exists()
    assert kept.exists()
    assert "rm host_vars/old-box.yml" in pruned.stderr


def test_a_damaged_mark_stops_it_with_file_and_line(freehold: Freehold, estate: Path) -> None:
    freehold("sync")
    path = estate / "group_vars/pro.yml"
    path.write_text(path.read_text().replace("# <<< freehold <<<\n", ""))
    infra = estate / "infra.yml"
    infra.write_text(infra.read_text().replace("trust: semi-trusted", "trust: untrusted"))
    before = (estate / "group_vars/homelab.yml").read_text()
    done = freehold("sync")
    assert done.returncode == 1
    assert "group_vars/pro.yml:4:1" in done.stderr
    assert (estate / "group_vars/homelab.yml").read_text() == before


def test_a_problem_of_infra_yml_comes_first(freehold: Freehold, estate: Path) -> None:
    (estate / "files/setup.sh").unlink()
    done = freehold("sync")
    assert done.returncode == 3
    assert "source-not-found" in done.stderr
    assert not (estate / "site.yml").exists()


def test_values_of_variables_are_never_shown(freehold: Freehold, estate: Path) -> None:
    freehold("sync")
    infra = estate / "infra.yml"
    infra.write_text(infra.read_text().replace("Europe/Paris", "hunter2"))
    done = freehold("sync", "--dry-run")
    assert "variables.base_system_timezone: value " in done.stdout
    everything = done.stdout + done.stderr + freehold("sync", "--json").stdout
    journal = "".join(p.read_text() for p in (estate / ".freehold").rglob("*") if p.is_file())
    for text in (everything, journal):
        assert "hunter2" not in text
        assert "Europe/Paris" not in text


def test_ansible_reads_the_inventory_with_every_variable(freehold: Freehold, estate: Path) -> None:
    freehold("sync")
    done = ansible(estate, "ansible-inventory", "-i", "inventory/hosts.yml", "--list")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    listed: dict[str, Any] = json.loads(done.stdout)
    llm = listed["_meta"]["hostvars"]["homelab-llm"]
    assert llm["ansible_connection"] == "freehold.estate.incus"
    assert llm["freehold_gateway"] == "10.100.3.1"
    assert llm["shop_odd"] == "0755"
    assert llm["provision_apt"] == ["git"]
    assert listed["homelab"]["hosts"] == ["homelab.domain", "homelab-llm"]


def test_the_users_own_inventory_beside_ours_is_read_too(freehold: Freehold, estate: Path) -> None:
    freehold("sync")
    (estate / "inventory/mine.yml").write_text("mine: {hosts: {other.example.org: {}}}\n")
    done = ansible(estate, "ansible-inventory", "--graph")
    assert "other.example.org" in done.stdout
    assert "homelab-llm" in done.stdout


def test_the_playbook_is_one(freehold: Freehold, estate: Path) -> None:
    freehold("sync")
    assert ansible(estate, "ansible-playbook", "site.yml", "--syntax-check").returncode == 0
    only = ansible(estate, "ansible-playbook", "site.yml", "--list-tasks", "--tags", "networks", "--limit", "homelab")  # fmt: skip
    assert "freehold.estate.incus_networks" in only.stdout
    assert "The domain has its project" not in only.stdout
    inside = ansible(estate, "ansible-playbook", "site.yml", "--list-tasks", "--tags", "shop")
    assert "shop : Say the name" in inside.stdout
    assert "base_system : Set the time zone" not in inside.stdout


@pytest.mark.slow
def test_ansible_lint_finds_nothing(freehold: Freehold, estate: Path) -> None:
    freehold("sync")
    done = ansible(estate, "ansible-lint", "--offline", "--strict", "--profile", "production")
    assert done.returncode == 0, done.stdout + done.stderr
