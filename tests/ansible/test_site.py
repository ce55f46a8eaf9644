"""site.yml run by plain ansible-playbook: the same estate as `freehold apply` makes, and the truth about what changed."""

import pytest

from freehold.operations.blueprints import INFRA_FILE, blueprints
from tests.ansible.tree import Tree

pytestmark = pytest.mark.lab

DOMAINS = ("admin", "homelab", "perso", "pro")
PER_DOMAIN = ("incus_projects", "incus_networks", "incus_profiles", "incus_instances")

SMALL = """
    freehold: 1
    name: cottage
    domains:
      home:
        subnet_id: 11
        profiles: {big: {config: {limits.memory: 512MiB}}}
        machines: {desk: {ip: 10.100.11.10, profiles: [big]}}
      lodge: {subnet_id: 12}
    """


def on(role: str, *domains: str) -> set[tuple[str, str]]:
    return {(role, f"{domain}.domain") for domain in domains}


@pytest.mark.slow
def test_the_blueprint_is_made_from_nothing_and_a_second_run_changes_nothing(tree: Tree) -> None:
    tree.synced(blueprints()["workstation"].files[INFRA_FILE])
    before = tree.everything()

    foretold = tree.site_ok("--tags", "infra", "--check", "--diff")
    assert tree.everything() == before
    first = tree.site_ok("--tags", "infra")

    once = on("incus_nftables", "admin") | on("incus_storage", "homelab")
    made = set().union(*(on(role, *DOMAINS) for role in PER_DOMAIN)) | once
    assert first.changed == made
    assert foretold.changed == made
    left = {change["address"].partition(":")[0] for change in tree.plan()["changes"]}
    assert left <= {"provision"}  # what goes inside machines is another tag
    assert set(tree.states()) == {"admin-ansible", "homelab-llm", "perso-desktop", "pro-dev"}
    assert all(state == "running" and addresses for state, addresses in tree.states().values())
    assert tree.site_ok("--tags", "infra").changed == set()


@pytest.mark.slow
def test_what_apply_made_the_playbook_leaves(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.ok("apply", "--yes")
    assert tree.site_ok("--diff").changed == set()


@pytest.mark.slow
def test_one_changed_profile_is_one_changed_task(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.site_ok()
    tree.edit("512MiB", "256MiB")
    before = tree.everything()

    foretold = tree.site_ok("--check", "--diff")
    assert tree.everything() == before
    played = tree.site_ok("--diff")

    for each in (foretold, played):
        assert each.changed == on("incus_profiles", "home")
        assert "-config.limits.memory: 512MiB\n+config.limits.memory: 256MiB\n" in each.text
    assert tree.get("/profiles/big?project=home")["config"]["limits.memory"] == "256MiB"


@pytest.mark.slow
def test_one_tag_and_one_domain_alone(tree: Tree) -> None:
    tree.synced(SMALL)

    played = tree.site_ok("--tags", "networks", "--limit", "home")

    assert played.changed == on("incus_networks", "home")
    networks = {network["name"] for network in tree.get("/networks?recursion=1")}
    assert {"net-home", "net-lodge"} & networks == {"net-home"}
    assert "home" not in {project["name"] for project in tree.get("/projects?recursion=1")}
    assert tree.site_ok("--tags", "networks", "--limit", "home").changed == set()
    assert tree.site_ok("--tags", "networks").changed == on("incus_networks", "lodge")


@pytest.mark.slow
def test_an_orphan_goes_only_when_asked_for(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.site_ok()
    tree.edit("profiles: {big: {config: {limits.memory: 512MiB}}}", "profiles: {}")
    tree.edit(", profiles: [big]", "")

    assert tree.site_ok().changed == on("incus_instances", "home")
    assert tree.get("/profiles/big?project=home")["name"] == "big"
    assert tree.site_ok("-e", "freehold_prune=true").changed == on("incus_profiles", "home")
    assert "/1.0/profiles/big?project=home" not in tree.get("/profiles?project=home")
    tree.settled()


@pytest.mark.slow
def test_the_journal_tells_of_runs_that_changed_something(tree: Tree) -> None:
    tree.synced(SMALL)
    written = len(tree.runs())
    tree.site_ok("--tags", "projects")
    tree.site_ok("--tags", "projects")

    (home, lodge) = tree.runs()[written:]
    assert home.name.endswith("-ansible.jsonl")
    assert "project:" in home.read_text()
    assert "project:" in lodge.read_text()
    assert "ansible" in tree.ok("log").out


def test_values_that_may_be_secrets_are_not_in_what_a_playbook_prints(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.edit("desk: {", "desk: {config: {environment.TOKEN: hunter2}, ")

    played = tree.site_ok("--diff", "-vvv")

    assert "config.environment.TOKEN: (not shown" in played.text
    assert "hunter" not in played.text
    machine = tree.get("/instances/home-desk?project=home")
    assert machine["config"]["environment.TOKEN"] == "hunter2"


_WHOLE = """
- name: All in one
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Make the estate
      freehold.estate.estate: {lab: true}
      register: site_made
    - name: Say what was done
      ansible.builtin.debug:
        msg: "{{ site_made.plan.create }} of {{ site_made.changes | map(attribute='address') | sort | join(' ') }}"
"""


def test_one_task_without_parameters_makes_the_whole_infrastructure(tree: Tree) -> None:
    tree.write(SMALL)
    (tree.folder / "whole.yml").write_text(_WHOLE)
    played = tree.end_of_site(tree.start_playbook("whole.yml"))
    assert played.code == 0, played.text
    made = (
        "bridge:home bridge:lodge firewall:host instance:home/desk profile:home/big "
        "profile:home/default profile:lodge/default project:home project:lodge"
    )
    assert f"9 of {made}" in played.said
    left = {change["address"].partition(":")[0] for change in tree.plan()["changes"]}
    assert left <= {"file"}  # the tree, which `freehold sync` writes
