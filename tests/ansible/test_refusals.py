"""What a task refuses, and how it says so: the same rules as `freehold apply`, in the words of Ansible's users."""

import os
import time

import pytest

from freehold.engine.lock import lock
from tests.ansible.test_site import SMALL, on
from tests.ansible.tree import Tree
from tests.e2e.foreign import BRIDGE

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.mark.slow
def test_no_machine_is_made_without_the_firewall(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.site_ok("--tags", "projects,networks,profiles,storage")

    played = tree.site("--tags", "instances")

    assert played.failed == on("incus_instances", "home")
    assert "firewall:host must be made first" in played.said
    assert "ansible-playbook site.yml --tags infra" in played.said
    assert tree.get("/instances?project=home") == []
    refused = tree.freehold("apply", "--yes", "--only", "instance")
    assert refused.code == 1
    assert "firewall:host must be made first" in refused.said
    tree.site_ok("--tags", "nftables,instances")
    tree.settled()


@pytest.mark.slow
def test_a_machine_is_not_started_while_the_rules_are_not_as_written(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.site_ok()
    tree.incus("stop", "--project", "home", "home-desk")
    tree.lab.run(["nft", "flush", "table", "inet", "freehold-cottage"])

    played = tree.site("--tags", "instances")

    assert played.failed == on("incus_instances", "home")
    assert tree.get("/instances/home-desk?project=home")["status"] == "Stopped"


@pytest.mark.slow
def test_somebody_elses_bridge_is_left_alone_and_named(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.incus("network", "create", "net-home", "ipv4.address=192.0.2.129/28", "ipv6.address=none")
    theirs = tree.get("/networks/net-home")

    played = tree.site()

    assert played.code != 0
    assert "bridge:home exists and carries no mark of an estate" in played.said
    assert "incus network set net-home" in played.said
    assert tree.get("/networks/net-home") == theirs
    assert tree.get(f"/networks/{BRIDGE}")["name"] == BRIDGE


def test_a_wrong_infra_yml_is_told_with_its_place(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.edit("subnet_id: 12", "subnet_id: 12, machnes: {}")

    played = tree.site("--limit", "home")

    assert played.failed == on("incus_projects", "home")
    assert "infra.yml:9:26" in played.said
    assert "Did you mean `machines`?" in played.said


@pytest.mark.slow
def test_data_is_lost_only_by_name(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.site_ok()
    tree.edit("desk: {", "desk: {image: test/other, ")
    tree.incus("image", "alias", "create", "test/other", _fingerprint(tree))
    tree.inside("home/desk", "touch", "/root/precious")

    foretold = tree.site_ok("--check")
    refused = tree.site()

    assert foretold.changed == on("incus_instances", "home")
    assert "-e freehold_confirm=home/desk" in foretold.said
    assert refused.failed == on("incus_instances", "home")
    assert "-e freehold_confirm=home/desk" in refused.said
    assert "precious" in _disk(tree)
    agreed = tree.site_ok("-e", "freehold_confirm=home/desk")
    assert agreed.changed == on("incus_instances", "home")
    assert "precious" not in _disk(tree)


def _disk(tree: Tree) -> str:
    return tree.inside("home/desk", "ls", "/root")


def _fingerprint(tree: Tree) -> str:
    return str(tree.get("/images?recursion=1")[0]["fingerprint"])


def test_a_limit_that_is_nowhere_in_infra_yml(tree: Tree) -> None:
    tree.synced(SMALL)
    played = tree.site("-e", "incus_networks_domain=hone", "--tags", "networks", "--limit", "home")
    assert "limit: hone" in played.said
    assert "Did you mean `home`?" in played.said


def test_a_lab_that_is_not_there(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    tree.synced(SMALL)
    nowhere = str(tmp_path_factory.mktemp("none"))
    words = ("site.yml", "-e", "freehold_lab=true", "--limit", "home")
    played = tree.end_of_site(tree.start_playbook(*words, more={"FREEHOLD_LAB": nowhere}))
    assert played.failed == on("incus_projects", "home")
    assert "error[lab-not-running]" in played.said
    assert "freehold lab start" in played.said


@pytest.mark.slow
def test_two_playbooks_at_once_make_one_estate(tree: Tree) -> None:
    tree.synced(SMALL)
    ends = [tree.end_of_site(each) for each in [tree.start_site(), tree.start_site()]]
    assert [end.code for end in ends] == [0, 0], "\n".join(end.text for end in ends)
    assert not ends[0].changed & ends[1].changed
    tree.settled()


SOON = """
- name: The projects, soon
  hosts: home.domain
  gather_facts: false
  tasks:
    - name: Make it
      freehold.estate.estate:
        kinds: [project]
        limit: [home]
        lab: true
        lock_timeout: 1
"""


def test_another_run_that_goes_on_is_told(tree: Tree) -> None:
    tree.synced(SMALL)
    (tree.folder / "soon.yml").write_text(SOON)
    with lock(tree.folder, "apply"):
        played = tree.end_of_site(tree.start_playbook("soon.yml"))
    assert played.code != 0
    assert "error[locked]: Another run is at work on this estate" in played.said
    assert f"`freehold apply` (process {os.getpid()} on " in played.said


def test_another_run_that_ends_is_waited_for(tree: Tree) -> None:
    tree.synced(SMALL)
    (tree.folder / "soon.yml").write_text(SOON.replace("lock_timeout: 1", "lock_timeout: 100"))
    with lock(tree.folder, "apply"):
        process = tree.start_playbook("soon.yml")
        time.sleep(3)
        assert process.poll() is None
        assert "home" not in {project["name"] for project in tree.get("/projects?recursion=1")}
    played = tree.end_of_site(process)
    assert played.code == 0, played.text
    assert "home" in {project["name"] for project in tree.get("/projects?recursion=1")}
