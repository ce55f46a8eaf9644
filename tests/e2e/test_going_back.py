"""`apply --snapshot` and `undo`: infra.yml, machines and what they hold, as they were before a run."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.estate import Estate, created, told
from tests.e2e.lived_in import LivedIn

pytestmark = pytest.mark.lab

ONE_MACHINE = """\
    # what somebody has written about it\r
    freehold: 1
    name: cottage
    domains:
      home:
        subnet_id: 11
        machines:
          desk: {ip: 10.100.11.10, memory: 512MiB, volumes: {data: {path: /data}}}
    """
TILL = "    till: {ip: 10.100.11.12}\n"
PLACES = "/root/note", "/data/note"


def write_inside(estate: Estate, word: str) -> None:
    command = "; ".join(f"echo {word} > {place}" for place in PLACES)
    LivedIn(estate.folder, estate.lab).shell("home/desk", command)


def inside(estate: Estate) -> set[str]:
    lived_in = LivedIn(estate.folder, estate.lab)
    return set(lived_in.shell("home/desk", f"cat {' '.join(PLACES)}").split())


def infra(estate: Estate) -> bytes:
    return (estate.folder / "infra.yml").read_bytes()


def last_run(estate: Estate) -> str:
    return str(estate.ok("log", "--json").document["runs"][0]["name"])


def memory(estate: Estate) -> str:
    found = estate.get("/instances/home-desk?project=home")["config"]["limits.memory"]
    return str(found)


@pytest.fixture
def standing(estate: Estate) -> bytes:
    """A machine with a volume that runs, with a word in both; the bytes of infra.yml."""
    estate.write(ONE_MACHINE)
    text = infra(estate)
    estate.ok("apply", "--yes")
    write_inside(estate, "before")
    return text


def change(estate: Estate, *words: str) -> bytes:
    """One run that changes the machine; then something else is written in it."""
    estate.edit("512MiB", "256MiB")
    text = infra(estate)
    estate.ok("apply", "--yes", *words)
    write_inside(estate, "after")
    return text


def test_undo_brings_back_the_text_the_machine_and_what_it_holds_and_can_be_undone(
    estate: Estate, standing: bytes
) -> None:
    changed = change(estate, "--snapshot")
    run = last_run(estate)
    estate.edit("# what", "# something that was never applied; what")
    mine = infra(estate)

    asked = estate.freehold("undo")
    assert asked.code == 64, "nobody agreed"
    assert f"goes back to run-{run}" in asked.said
    assert "config.limits.memory: 256MiB → 512MiB" in asked.out
    assert (infra(estate), memory(estate)) == (mine, "256MiB")

    undone = estate.ok("undo", "--yes")
    assert infra(estate) == standing
    assert inside(estate) == {"before"}
    assert memory(estate) == "512MiB"
    assert told(estate.plan()) == {}
    (kept,) = estate.folder.glob("infra.yml.before-undo-*")
    assert kept.read_bytes() == mine

    forward = f"freehold --lab undo {last_run(estate)}"
    assert forward in undone.said
    estate.ok("undo", "--yes", last_run(estate))
    assert infra(estate) == changed
    assert inside(estate) == {"after"}
    assert memory(estate) == "256MiB"
    assert list(estate.folder.glob("infra.yml.before-undo-*")) == [kept], "it was in a plan"


@pytest.mark.slow
def test_without_a_snapshot_only_the_configuration_goes_back_and_that_is_said(
    estate: Estate, standing: bytes
) -> None:
    change(estate)
    undone = estate.ok("undo", "--yes")
    assert "warning[data-stays]" in undone.err
    assert "freehold --lab apply --snapshot" in undone.err
    assert (infra(estate), inside(estate), memory(estate)) == (standing, {"after"}, "512MiB")
    again = estate.freehold("undo", "--yes")
    assert again.code == 1, "before that there was nothing"
    assert "error[nothing-before]" in again.err


@pytest.mark.slow
def test_what_the_run_created_is_deleted_only_when_its_name_is_said(
    estate: Estate, standing: bytes
) -> None:
    with (estate.folder / "infra.yml").open("a") as file:
        file.write("  " + TILL)
    made = estate.ok("apply", "--yes", "--snapshot")
    assert "No machine that is there changes" in made.out
    assert estate.ok("snapshot", "list", "--json").document["snapshots"] == []

    refused = estate.freehold("undo", "--yes")
    assert refused.code == 64
    assert "--confirm home/till" in refused.err
    assert "home-till" in estate.states()

    document = estate.ok("undo", "--json", "--yes", "--confirm", "home/till").document
    assert document["undo"]["run"].endswith("-apply")
    assert told(document)["instance:home/till"][0] == "delete"
    assert infra(estate) == standing
    assert estate.states().keys() == {"home-desk"}


@pytest.mark.slow
def test_what_the_run_deleted_comes_back_empty_and_with_a_warning(
    estate: Estate, standing: bytes
) -> None:
    estate.edit("desk: {ip: 10.100.11.10, memory: 512MiB, volumes: {data: {path: /data}}}", TILL.strip())  # fmt: skip
    confirmed = "--confirm", "home/desk", "--confirm", "home/desk/data"
    gone = estate.ok("apply", "--yes", "--prune", "--snapshot", *confirmed)
    assert "warning[snapshots-go-too]" in gone.err
    assert "home/desk is deleted" in gone.said
    assert "Snapshots first: home/desk as run-" in gone.out

    undone = estate.ok("undo", "--yes", "--confirm", "home/till")
    assert "warning[comes-back-empty]" in undone.err
    assert infra(estate) == standing
    listed = LivedIn(estate.folder, estate.lab).shell("home/desk", "ls /root /data")
    assert "note" not in listed
    estate.settled()


@pytest.mark.slow
def test_a_saved_plan_can_have_snapshots_first_and_what_changes_nothing_has_none(
    estate: Estate, standing: bytes
) -> None:
    idle = estate.ok("apply", "--yes", "--snapshot")
    assert "Nothing to do" in idle.out
    estate.edit("512MiB", "256MiB")
    estate.ok("plan", "--out", "saved.plan")
    document = estate.ok("apply", "--json", "--yes", "--snapshot", "saved.plan").document
    name = document["snapshots"]["machines"]["home/desk"]
    assert name == f"run-{last_run(estate)}"
    (taken,) = estate.ok("snapshot", "list", "--json").document["snapshots"]
    assert (taken["machine"], taken["name"]) == ("home/desk", name)


@pytest.mark.slow
def test_when_a_snapshot_fails_nothing_is_begun_and_the_others_go_again(estate: Estate) -> None:
    estate.write(
        """
        freehold: 1
        name: cottage
        domains:
          home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10, memory: 512MiB}}}
          lodge:
            subnet_id: 12
            machines: {till: {ip: 10.100.12.10, memory: 512MiB, snapshots: {pre: "exit 7"}}}
        """
    )
    estate.ok("apply", "--yes")
    estate.edit("512MiB", "256MiB")
    failed = estate.freehold("apply", "--yes", "--snapshot")
    assert failed.code == 1, failed
    assert "snapshot-command-failed" in failed.err
    assert "a snapshot failed, so nothing was begun" in failed.said
    assert memory(estate) == "512MiB"
    assert estate.ok("snapshot", "list", "--json").document["snapshots"] == []
    assert last_run(estate).endswith("-apply")
    assert "error[nothing-before]" in estate.freehold("undo", "--yes").err, "it changed nothing"


@pytest.mark.slow
@pytest.mark.parametrize("until", ["bring back volume", "write infra.yml"])
def test_killed_in_the_middle_it_goes_on(estate: Estate, standing: bytes, until: str) -> None:
    change(estate, "--snapshot")
    before = len(estate.runs())
    process = estate.start("undo", "--yes")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        runs = estate.runs()
        if len(runs) > before and until in runs[-1].read_text():
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    process.wait()
    assert "run-finished" not in estate.runs()[-1].read_text(), "it was killed in time"

    estate.ok("undo", "--yes")
    assert (infra(estate), inside(estate), memory(estate)) == (standing, {"before"}, "512MiB")
    estate.settled()
    estate.ok("undo", "--yes", last_run(estate))
    assert (inside(estate), memory(estate)) == ({"after"}, "256MiB")


@pytest.mark.slow
def test_runs_that_cannot_be_taken_back_are_told(estate: Estate, tmp_path: Path) -> None:
    empty = estate.freehold("undo")
    assert (empty.code, "error[no-runs]" in empty.err) == (64, True)
    estate.write("freehold: 1\nname: cottage\ndomains: {home: {subnet_id: 11}}\n")
    estate.ok("apply", "--yes")
    run = last_run(estate)
    unknown = estate.freehold("undo", run.replace("-apply", "-aply"))
    assert unknown.code == 64
    assert "error[unknown-run]" in unknown.err
    assert f"Did you mean `{run}`?" in unknown.err
    first = estate.freehold("undo", "--yes")
    assert "error[nothing-before]" in first.err
    assert "freehold --lab destroy" in first.err

    plan = estate.folder / ".freehold" / "runs" / f"{run}.plan.json"
    assert plan.stat().st_mode & 0o777 == 0o600
    assert json.loads(plan.read_text())["kind"] == "plan"
    estate.edit("subnet_id: 11", "subnet_id: 11, internet: false")
    estate.ok("apply", "--yes")
    plan.unlink()
    lost = estate.freehold("undo", "--yes")
    assert lost.code == 1
    assert "error[unknown-past]" in lost.err
    assert told(estate.plan()) == created()
