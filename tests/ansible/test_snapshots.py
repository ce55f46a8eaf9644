"""snapshot.yml run by plain ansible-playbook: snapshots as `freehold snapshot` takes them, of what the play is for and nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.freehold.estate.plugins.action.snapshot import PARAMETERS, STATES
from ansible_collections.freehold.estate.plugins.modules.snapshot import (
    EXAMPLES,
    RETURN,
)
from freehold.cli.ansible_snapshot import SnapshotRequest, State
from tests.ansible.tree import Played, Tree
from tests.e2e.lived_in import LivedIn

ROLE = "incus_snapshots"
SMALL = """
    freehold: 1
    name: cottage
    domains:
      home:
        subnet_id: 11
        machines:
          desk:
            volumes: {data: {path: /srv/data, size: 1GiB}}
          shelf: {}
      lodge:
        subnet_id: 12
        machines: {till: {}}
    """


def test_the_examples_and_what_is_returned_can_be_read() -> None:
    given = [task["freehold.estate.snapshot"] for task in yaml.safe_load(EXAMPLES)]
    assert all(options.keys() <= PARAMETERS.keys() for options in given)
    assert {"plan", "changes", "not_done", "snapshots", "table"} == yaml.safe_load(RETURN).keys()


def test_defaults_are_those_of_the_request() -> None:
    request = SnapshotRequest(directory=Path(), targets=("all",))
    assert PARAMETERS["copy"]["default"] == request.copy
    assert PARAMETERS["lock_timeout"]["default"] == request.lock_timeout
    assert [state.value for state in State] == STATES


@pytest.fixture
def estate(tree: Tree) -> Tree:
    """Three machines of two domains; one has a volume."""
    tree.synced(SMALL)
    tree.ok("apply", "--yes")
    return tree


def snapshot(tree: Tree, *words: str, **variables: str) -> Played:
    """Run snapshot.yml to its end; `name` becomes `-e snapshot_name=…`."""
    given = [word for key, value in variables.items() for word in ("-e", f"snapshot_{key}={value}")]
    return tree.end_of_site(
        tree.start_playbook("snapshot.yml", "-e", "freehold_lab=true", *given, *words)
    )


def ok(tree: Tree, *words: str, **variables: str) -> Played:
    played = snapshot(tree, *words, **variables)
    assert played.code == 0, played.text
    return played


def names(tree: Tree) -> dict[str, list[str]]:
    """What Incus has, by instance, and by volume."""
    found: dict[str, list[str]] = {}
    for domain in ("home", "lodge"):
        for raw in tree.get(f"/instances?recursion=2&project={domain}"):
            found[raw["name"]] = sorted(each["name"] for each in raw["snapshots"] or ())
    for raw in tree.get("/storage-pools/default/volumes/custom?recursion=1&project=home"):
        volume, _, name = raw["name"].partition("/")
        found.setdefault(volume, []).extend([name] if name else [])
    return found


def on(*hosts: str) -> set[tuple[str, str]]:
    return {(ROLE, host) for host in hosts}


def inside(tree: Tree, command: str) -> Any:
    return LivedIn(tree.folder, tree.lab).shell("home/desk", command)


@pytest.mark.lab
@pytest.mark.slow
def test_one_of_everything_and_the_second_time_nothing_is_changed(estate: Tree) -> None:
    before = names(estate), estate.runs()
    foretold = ok(estate, "--check", "--diff", name="before")
    assert (names(estate), estate.runs()) == before
    assert foretold.changed == on("home-desk", "lodge-till")  # one task for each domain

    taken = ok(estate, name="before")

    assert taken.changed == foretold.changed
    found = names(estate)
    assert found.keys() == {"home-desk", "home-shelf", "lodge-till", "desk.data"}
    assert all(each == ["before"] for each in found.values())
    assert ok(estate, name="before").changed == set()
    assert estate.runs()[-1].name.endswith("-snapshot.jsonl")


@pytest.mark.slow
@pytest.mark.lab
def test_only_what_the_play_is_for(estate: Tree) -> None:
    assert ok(estate, "--limit", "home-shelf", name="one").changed == on("home-shelf")
    lodge = estate.get("/projects/lodge")
    assert ok(estate, "--limit", "home", name="one").changed == on("home-desk")
    assert ok(estate, "--limit", "home:!home-desk", name="two").changed == on("home-shelf")

    assert names(estate) == {
        "home-desk": ["one"],
        "desk.data": ["one"],
        "home-shelf": ["one", "two"],
        "lodge-till": [],
    }
    assert estate.get("/projects/lodge") == lodge


@pytest.mark.lab
@pytest.mark.slow
def test_going_back_wants_a_word_and_brings_disk_and_volume(estate: Tree) -> None:
    inside(estate, "echo old >/root/note; echo old >/srv/data/note")
    ok(estate, "--limit", "home", name="before")
    inside(estate, "echo new >/root/note; echo new >/srv/data/note")
    asked = {"state": "restored", "name": "before"}

    refused = snapshot(estate, "--limit", "home-desk", **asked)
    assert refused.failed == on("home-desk")
    assert "error[not-agreed]: Nobody agreed to this" in refused.said
    assert "-e snapshot_confirm=true" in refused.said
    foretold = ok(estate, "--limit", "home-desk", "--check", **asked)
    assert foretold.changed == on("home-desk")
    assert "-e snapshot_confirm=true" in foretold.said
    assert inside(estate, "cat /root/note /srv/data/note") == "new\nnew"

    done = ok(estate, "--limit", "home-desk", confirm="true", **asked)

    assert done.changed == on("home-desk")
    assert inside(estate, "cat /root/note /srv/data/note") == "old\nold"
    found = names(estate)
    assert [name for name in found["home-desk"] if name.startswith("before-restore-")]
    assert found["home-shelf"] == ["before"]


@pytest.mark.lab
@pytest.mark.slow
def test_what_is_not_kept_has_to_be_named(estate: Tree) -> None:
    ok(estate, "--limit", "home-shelf", name="before")
    asked = {"state": "restored", "confirm": "true", "copy": "false"}

    refused = snapshot(estate, "--limit", "home-shelf", **asked)
    assert "error[not-confirmed]" in refused.said
    assert "-e freehold_confirm=home/shelf" in refused.said
    words = ("--limit", "home-shelf", "-e", "freehold_confirm=home/shelf")
    assert ok(estate, *words, **asked).changed == on("home-shelf")
    assert names(estate)["home-shelf"] == ["before"]


@pytest.mark.lab
@pytest.mark.slow
def test_listed_then_deleted_and_the_second_time_nothing_is_changed(estate: Tree) -> None:
    ok(estate, name="before", expires="7d")
    estate.ok("snapshot", "create", "home/shelf", "--name", "mine")

    listed = ok(estate, "--check", "--limit", "home", state="list")
    assert listed.changed == set()
    assert '"home/shelf mine' in listed.said
    assert "home/desk before" in listed.said
    assert "with 1 volume" in listed.said
    assert "lodge/till" not in listed.said

    before = names(estate), estate.runs()
    foretold = ok(estate, "--check", state="absent", name="before")
    assert (names(estate), estate.runs()) == before
    gone = ok(estate, state="absent", name="before")
    assert gone.changed == foretold.changed == on("home-desk", "lodge-till")
    assert ok(estate, state="absent", name="before").changed == set()
    assert names(estate) == {
        "home-desk": [],
        "desk.data": [],
        "home-shelf": ["mine"],
        "lodge-till": [],
    }


@pytest.mark.lab
@pytest.mark.slow
def test_all_or_none_of_a_domain(tree: Tree) -> None:
    tree.synced(SMALL.replace("shelf: {}", "shelf: {snapshots: {pre: sleep 2; exit 3}}"))
    tree.ok("apply", "--yes")

    played = snapshot(tree, name="before")

    assert played.failed == on("home-desk")  # which speaks for its domain
    assert "`snapshots.pre` of home/shelf ended with exit code 3" in played.said
    assert played.changed == on("lodge-till")
    assert names(tree) == {
        "home-desk": [],
        "desk.data": [],
        "home-shelf": [],
        "lodge-till": ["before"],
    }


WRONG = {
    "-e snapshot_name=before": {},
    "error[reserved-snapshot-name]": {"name": "run-1"},
    "error[bad-snapshot-name]": {"name": "a/b"},
    "error[bad-time]": {"name": "x", "expires": "soon"},
    "must be one of: present, absent, restored, list": {"state": "gone"},
    "error[no-such-snapshot]": {"state": "restored", "name": "nowhere", "confirm": "true"},
    "error[no-snapshots]": {"state": "restored", "confirm": "true"},
}


@pytest.mark.lab
@pytest.mark.slow
def test_what_is_refused_is_named(tree: Tree) -> None:
    tree.synced(SMALL)
    tree.ok("apply", "--yes", "--limit", "lodge")
    for words, variables in WRONG.items():
        played = snapshot(tree, "--limit", "lodge", **variables)
        assert played.code == 2, words
        assert words in played.said
    assert tree.get("/instances/lodge-till/snapshots?project=lodge") == []
