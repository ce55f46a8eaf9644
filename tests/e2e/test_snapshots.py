"""Snapshots on a real Incus: there and back, with volumes; one domain is one domain; what infra.yml says stays said."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from freehold.operations.lab import Lab
from tests.e2e.events import Events
from tests.e2e.lived_in import LivedIn, lived_in
from tests.e2e.shapes import MAYBE, TEXT, TRUTH, deviations

pytestmark = pytest.mark.lab

TWO_DOMAINS = """
    freehold: 1
    name: cottage
    domains:
      home:
        subnet_id: 11
        machines:
          desk: {ip: 10.100.11.10, memory: 512MiB, volumes: {data: {path: /data}}}
          shelf: {ip: 10.100.11.11}
      lodge: {subnet_id: 12, machines: {till: {ip: 10.100.12.10, volumes: {data: {path: /data}}}}}
    """
AGREED = ("--confirm", "home/desk", "--confirm", "home/shelf")
SNAPSHOTS = {
    "schema": {1},
    "kind": {"snapshots"},
    "estate": {"cottage"},
    "snapshots": [
        {
            "machine": TEXT,
            "name": TEXT,
            "taken": TEXT,
            "expires": MAYBE,
            "volumes": [TEXT],
            "whole": TRUTH,
        }
    ],
}


@pytest.fixture(scope="module")
def rooms(e2e_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivedIn]:
    with lived_in(tmp_path_factory.mktemp("estate"), e2e_lab, TWO_DOMAINS) as estate:
        yield estate


@pytest.fixture
def home(rooms: LivedIn) -> Iterator[LivedIn]:
    """Without any snapshot. Afterwards nothing is left to do."""
    rooms.fresh()
    yield rooms
    assert rooms.plan()["changes"] == []


def test_there_and_back_and_forward_again_with_the_settings_of_today(home: LivedIn) -> None:
    home.note("home/desk", "early")
    home.note("home/shelf", "early", "/root/note")
    home.snapshot("create", "home", "--name", "before")
    home.note("home/desk", "late")
    home.note("home/shelf", "late", "/root/note")
    home.edit("memory: 512MiB", "memory: 640MiB")
    home.ok("apply", "--yes")

    done = home.snapshot("restore", "home/desk", "--name", "before", "--yes")
    assert "goes back to before of " in done.out
    assert home.notes("home/desk") == ["early", "early"]
    assert home.notes("home/shelf", "/root/note") == ["late"], "it was not named"
    assert home.instances()["home-desk"]["config"]["limits.memory"] == "640MiB"
    assert home.plan()["changes"] == []
    home.edit("memory: 640MiB", "memory: 512MiB")
    home.ok("apply", "--yes")

    [copy] = [each for each in home.listed() if each["name"].startswith("before-restore-")]
    assert (copy["machine"], copy["volumes"]) == ("home/desk", ["desk.data"])
    left = datetime.fromisoformat(copy["expires"]) - datetime.now(UTC)
    assert timedelta(days=6) < left < timedelta(days=7, minutes=1)
    home.snapshot("restore", "home/desk", "--name", copy["name"], "--yes")
    assert home.notes("home/desk") == ["late", "late"]


@pytest.mark.slow
def test_a_machine_that_is_off_is_snapshotted_and_brought_back(home: LivedIn) -> None:
    home.note("home/desk", "early")
    home.incus("stop", "--project", "home", "home-desk")
    home.snapshot("create", "home/desk", "--name", "quiet")
    home.incus("start", "--project", "home", "home-desk")
    home.note("home/desk", "late")
    home.incus("stop", "--force", "--project", "home", "home-desk")
    home.snapshot("restore", "home/desk", "--yes")
    assert home.run_states()["home-desk"] == "Running", "infra.yml names it"
    assert home.notes("home/desk") == ["early", "early"]


def of_lodge(home: LivedIn) -> Any:
    instances = home.instances()
    projects = {each["name"]: each for each in home.get("/projects?recursion=1")}
    volumes = {key: each for key, each in home.volumes().items() if key[0] == "lodge"}
    return instances["lodge-till"], volumes, projects["lodge"]


@pytest.mark.slow
def test_the_snapshot_of_a_domain_touches_only_that_domain(home: LivedIn) -> None:
    before = of_lodge(home)
    with Events(home.lab.socket) as events:
        home.snapshot("create", "home", "--name", "one")
        assert home.stored() == {"home-desk/one", "home-shelf/one", "desk.data/one"}
        home.snapshot("restore", "home", "--name", "one", "--yes", "--no-copy", *AGREED)
        home.snapshot("delete", "home", "--name", "one", "--yes")
        home.incus("config", "set", "--project", "lodge", "lodge-till", "user.note=a-real-write")
        events.wait_for("/1.0/instances/lodge-till?project=lodge")
    elsewhere = [event for event in events.heard if is_of(event, "lodge")]
    assert {
        event["metadata"].get("action") for event in elsewhere if event["type"] == "lifecycle"
    } == {"instance-updated"}, "only the write that shows that writes are counted"
    home.incus("config", "unset", "--project", "lodge", "lodge-till", "user.note")
    assert of_lodge(home) == before


def is_of(event: dict[str, Any], domain: str) -> bool:
    return bool(event["project"] == domain or f"/projects/{domain}" in str(event["metadata"]))


def test_what_scripts_read(home: LivedIn) -> None:
    taken = home.snapshot(
        "create", "home/desk", "lodge", "--name", "one", "--expires", "12h", "--json"
    ).document
    assert [(c["address"], c["action"], c["status"]) for c in taken["changes"]] == [
        ("snapshot:home/one", "create", "done"),
        ("snapshot:lodge/one", "create", "done"),
    ]
    listed = home.snapshot("list", "--json").document
    assert deviations(listed, SNAPSHOTS) == []
    found = {s["machine"]: (s["name"], s["volumes"], s["whole"]) for s in listed["snapshots"]}
    assert found == {
        "home/desk": ("one", ["desk.data"], True),
        "lodge/till": ("one", ["till.data"], True),
    }
    for each in listed["snapshots"]:
        left = datetime.fromisoformat(each["expires"]) - datetime.now(UTC)
        assert timedelta(hours=11) < left < timedelta(hours=12, seconds=1)
    assert home.snapshot("list", "lodge", "--json").document["snapshots"] == listed["snapshots"][1:]
    rows = [line.split()[:2] for line in home.snapshot("list").out.splitlines()[1:]]
    assert rows == [["home/desk", "one"], ["lodge/till", "one"]]
    assert home.ok("orphans", "--json").document["orphans"] == []
    assert home.snapshot("delete", "all", "--name", "one", "--yes").code == 0
    assert home.stored() == set()


def test_the_parts_of_a_snapshot_expire_together(home: LivedIn) -> None:
    home.snapshot("create", "home/desk", "--name", "short", "--expires", "1h")
    expiries = [
        home.instances()["home-desk"]["snapshots"][0]["expires_at"],
        home.get("/storage-pools/default/volumes/custom/desk.data/snapshots/short?project=home")[
            "expires_at"
        ],
    ]
    assert expiries[0][:19] == expiries[1][:19]
    assert not expiries[0].startswith("0001")


def test_without_a_name_the_time_is_the_name_and_without_a_target_all_are_meant(
    home: LivedIn,
) -> None:
    before = datetime.now().replace(microsecond=0)  # noqa: DTZ005 - for people
    home.snapshot("create")
    names = home.names()
    assert set(names) == {"home/desk", "home/shelf", "lodge/till"}
    assert len({name for found in names.values() for name in found}) == 1
    assert datetime.strptime(names["home/desk"][0], "%Y%m%d-%H%M%S") >= before  # noqa: DTZ007


WORDS = [
    (("create", "--name", "a b"), 64, "error[bad-snapshot-name]"),
    (("create", "--name", "scheduled-1"), 64, "error[reserved-snapshot-name]"),
    (("create", "--expires", "soon"), 64, "error[bad-time]"),
    (("create", "hom"), 64, "hint: Did you mean `home`?"),
    (("create", "self"), 64, "error[not-inside]"),
    (("restore", "--yes"), 64, "error[no-target]"),
    (("restore", "home", "--yes"), 1, "error[no-snapshots]"),
    (("delete", "home", "--yes"), 64, "error[no-snapshot-name]"),
    (("delete", "home", "--name", "none", "--yes"), 1, "error[no-such-snapshot]"),
]


@pytest.mark.slow
def test_what_cannot_be_meant_is_said_and_nothing_is_done(home: LivedIn) -> None:
    for words, code, said in WORDS:
        done = home.freehold("snapshot", *words)
        assert (done.code, said in done.err) == (code, True), done
    assert home.stored() == set()


def test_a_name_that_is_taken_is_not_taken_again(home: LivedIn) -> None:
    home.snapshot("create", "home/desk", "--name", "one")
    before = home.instances(), home.volumes()
    done = home.freehold("snapshot", "create", "all", "--name", "one")
    assert done.code == 1, done
    assert "error[snapshot-exists]" in done.err
    assert "freehold --lab snapshot delete home/desk --name one" in done.err
    assert (home.instances(), home.volumes()) == before


@pytest.mark.slow
def test_only_a_machine_with_volumes_is_frozen_and_only_meanwhile(home: LivedIn) -> None:
    with Events(home.lab.socket) as events:
        home.snapshot("create", "home", "--name", "one")
        events.wait_for("instance-resumed")
    told = [event["metadata"] for event in events.heard if event["type"] == "lifecycle"]
    actions = [
        each["action"]
        for each in told
        if "home-desk" in each["source"] or "desk.data" in each["source"]
    ]
    assert (actions[0], actions[-1]) == ("instance-paused", "instance-resumed")
    assert sorted(actions[1:-1]) == ["instance-snapshot-created", "storage-volume-snapshot-created"]
    assert [each["action"] for each in told if "home-shelf" in each["source"]] == [
        "instance-snapshot-created"
    ]
    assert set(home.run_states().values()) >= {"Running"}
    home.soon_running("home/desk", "home/shelf")


def test_commands_before_and_after_run_in_each_machine(home: LivedIn) -> None:
    home.shell("home/desk", "rm -f /data/log")
    home.snapshot(
        "create", "home/desk", "--name", "one",
        "--pre", "echo before >> /data/log", "--post", "echo after >> /data/log",
    )  # fmt: skip
    assert home.notes("home/desk", "/data/log") == ["before", "after"]
    home.snapshot("restore", "home/desk", "--yes")
    assert home.notes("home/desk", "/data/log") == ["before"], "taken between the two"


def test_where_the_command_before_fails_nothing_of_the_domain_is_left(home: LivedIn) -> None:
    """The other domain is taken; the command after runs all the same."""
    home.shell("home/desk", "touch /root/refuse; rm -f /root/after")
    home.shell("home/shelf", "rm -f /root/after")
    done = home.freehold(
        "snapshot", "create", "all", "--name", "one",
        "--pre", "if test -e /root/refuse; then echo not now; exit 3; fi",
        "--post", "touch /root/after",
    )  # fmt: skip
    assert done.code == 4, done
    assert "error[snapshot-command-failed]" in done.err or "failed: snapshot home/one" in done.err
    assert "`snapshots.pre` of home/desk ended with exit code 3: not now" in done.said
    assert home.stored() == {"lodge-till/one", "till.data/one"}
    for machine in ("home/desk", "home/shelf"):
        home.shell(machine, "test -e /root/after")
    home.soon_running("home/desk")
    home.shell("home/desk", "rm /root/refuse")
    home.snapshot("create", "home", "--name", "one")
    assert home.names() == {"home/desk": ["one"], "home/shelf": ["one"], "lodge/till": ["one"]}


def test_the_command_after_runs_when_incus_refuses_the_snapshot(home: LivedIn) -> None:
    home.shell("lodge/till", "rm -f /root/after")
    forbid = (
        "restricted=true",
        "restricted.snapshots=block",
        "restricted.networks.access=net-lodge",
    )
    home.incus("project", "set", "lodge", *forbid)
    done = home.freehold(
        "snapshot", "create", "all", "--name", "one", "--post", "touch /root/after"
    )
    home.incus("project", "set", "lodge", "restricted=false")
    for option in forbid[1:]:
        home.incus("project", "unset", "lodge", option.partition("=")[0])
    home.incus("project", "unset", "lodge", "restricted")
    assert done.code == 4, done
    assert "failed: snapshot lodge/one" in done.err
    home.shell("lodge/till", "test -e /root/after")
    home.soon_running("lodge/till")
    assert home.stored() == {"home-desk/one", "desk.data/one", "home-shelf/one"}
