"""Snapshots that are killed, interrupted, refused: machines go on, nothing half made stays, data is whole."""

import signal
import time
from collections.abc import Callable, Iterator

import pytest

from freehold.operations.lab import Lab
from tests.e2e.estate import PATIENCE
from tests.e2e.events import Events
from tests.e2e.lived_in import THREE_WITH_VOLUMES, LivedIn, lived_in, soon

pytestmark = pytest.mark.lab

MACHINES = {"home/desk": "home", "lodge/till": "lodge", "mill/wheel": "mill"}
ALL_OF = {
    "home-desk/{}",
    "lodge-till/{}",
    "mill-wheel/{}",
    "desk.data/{}",
    "till.data/{}",
    "wheel.data/{}",
}


@pytest.fixture(scope="module")
def rooms(e2e_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivedIn]:
    with lived_in(tmp_path_factory.mktemp("estate"), e2e_lab, THREE_WITH_VOLUMES) as estate:
        yield estate


@pytest.fixture
def three(rooms: LivedIn) -> Iterator[LivedIn]:
    """Three domains of a machine with a volume each. Afterwards nothing is left to do."""
    rooms.fresh()
    yield rooms
    rooms.soon_running(*MACHINES)
    assert rooms.plan()["changes"] == []


def all_of(name: str) -> set[str]:
    return {each.format(name) for each in ALL_OF}


def at_once(events: Events, action: str, act: Callable[[], object]) -> None:
    """Do it when Incus tells of the first such change: a few milliseconds later Freehold sends its next request."""
    until = time.monotonic() + PATIENCE
    while not any(event["metadata"].get("action") == action for event in list(events.heard)):
        assert time.monotonic() < until, events.heard
        time.sleep(0.001)
    act()


def goes_on(three: LivedIn) -> None:
    """Nobody is frozen, and where the command before ran, the one after did."""
    three.soon_running(*MACHINES)
    open_ = "test ! -e /root/before || test -e /root/after; echo $?"
    soon(lambda: {three.shell(machine, open_) for machine in MACHINES} == {"0"})


@pytest.mark.parametrize(
    "moment",
    [
        "instance-paused",
        pytest.param("project-updated", marks=pytest.mark.slow),
        pytest.param("instance-snapshot-created", marks=pytest.mark.slow),
        pytest.param("instance-exec", marks=pytest.mark.slow),
        pytest.param("instance-resumed", marks=pytest.mark.slow),
        pytest.param("storage-volume-snapshot-created", marks=pytest.mark.slow),
    ],
)
def test_a_killed_snapshot_leaves_machines_that_go_on_and_is_cleared_away(
    three: LivedIn, moment: str
) -> None:
    with Events(three.lab.socket) as events:
        process = three.start("snapshot", "create", "all", "--name", "killed")
        at_once(events, moment, process.kill)
    assert three.end_of(process).code == -signal.SIGKILL
    goes_on(three)

    planned = three.freehold("plan")
    assert planned.code == 0, planned
    three.snapshot("create", "all", "--name", "next")
    killed = three.stored() - all_of("next")
    for domain in (
        {"home-desk", "desk.data"},
        {"lodge-till", "till.data"},
        {"mill-wheel", "wheel.data"},
    ):
        assert {f"{each}/killed" for each in domain} & killed in (
            set(),
            {f"{each}/killed" for each in domain},
        )
    assert all(each["whole"] for each in three.listed())


def test_an_interrupt_ends_when_what_is_under_way_is_whole(three: LivedIn) -> None:
    with Events(three.lab.socket) as events:
        process = three.start("snapshot", "create", "all", "--name", "asked")
        events.wait_for("instance-paused")
        process.send_signal(signal.SIGINT)
    done = three.end_of(process)
    assert done.code in (0, 4), done
    assert "! stopping: what is under way is finished" in done.err
    goes_on(three)
    assert three.stored() <= all_of("asked")
    assert all(each["whole"] for each in three.listed())


@pytest.mark.slow
def test_a_second_interrupt_ends_it_at_once_and_machines_go_on(three: LivedIn) -> None:
    with Events(three.lab.socket) as events:
        process = three.start("snapshot", "create", "all", "--name", "asked")
        events.wait_for("instance-exec")
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
    done = three.end_of(process)
    assert done.code in (0, 1, 4), done
    goes_on(three)
    three.snapshot("create", "all", "--name", "next")
    assert all_of("next") <= three.stored()
    assert all(each["whole"] for each in three.listed())


@pytest.mark.slow
def test_the_command_after_does_not_overtake_the_one_before(three: LivedIn) -> None:
    three.shell("lodge/till", "rm -f /root/before /root/after")
    three.edit("pre: rm", "pre: sleep 5; rm")
    with Events(three.lab.socket) as events:
        process = three.start("snapshot", "create", "lodge", "--name", "killed")
        at_once(events, "instance-exec", process.kill)
    three.end_of(process)
    three.edit("pre: sleep 5; rm", "pre: rm")
    both = "test -e /root/before && test -e /root/after; echo $?"
    soon(lambda: three.shell("lodge/till", both) == "0")


@pytest.mark.parametrize(
    ("moment", "by"),
    [
        ("instance-paused", signal.SIGKILL),
        pytest.param("instance-exec", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("instance-snapshot-created", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("instance-resumed", signal.SIGKILL, marks=pytest.mark.slow),
    ],
)
def test_an_incus_that_restarts_is_waited_for_and_the_snapshot_is_whole(
    three: LivedIn, moment: str, by: signal.Signals
) -> None:
    with Events(three.lab.socket) as events:
        process = three.start("snapshot", "create", "all", "--name", "patient")
        events.wait_for(moment)
        three.lab.restart_daemon(by)
    done = three.end_of(process)
    assert done.code == 0, done.err
    goes_on(three)
    assert three.stored() == all_of("patient")
    assert all(each["whole"] for each in three.listed())


@pytest.mark.parametrize(
    "moment",
    [
        "instance-updated",
        pytest.param("storage-volume-restored", marks=pytest.mark.slow),
        pytest.param("instance-shutdown", marks=pytest.mark.slow),
    ],
)
def test_a_killed_restore_is_told_by_apply_and_ended_by_another(
    three: LivedIn, moment: str
) -> None:
    three.note("home/desk", "early")
    three.snapshot("create", "home", "--name", "before")
    three.note("home/desk", "late")
    words = ("snapshot", "restore", "home/desk", "--name", "before", "--yes")
    with Events(three.lab.socket) as events:
        process = three.start(*words)
        at_once(events, moment, process.kill)
    three.end_of(process)
    three.at_rest()

    if "user.freehold.restoring" in three.instances()["home-desk"]["config"]:
        told = three.freehold("apply", "--yes")
        assert told.code == 1, told
        assert "error[half-restored]: A machine is half-way back to a snapshot" in told.err
        assert "freehold --lab snapshot restore home/desk --name before" in told.err
        assert "user.freehold.restoring" in three.instances()["home-desk"]["config"]
    else:
        assert moment != "instance-updated", "the mark was there, and the disk was not brought back"
    three.ok(*words)
    assert three.notes("home/desk") == ["early", "early"]
    assert three.run_states()["home-desk"] == "Running"
    three.settled()
    copies = [each for each in three.listed() if each["name"].startswith("before-restore-")]
    assert ["desk.data"] in [copy["volumes"] for copy in copies], "what there was is kept"


@pytest.mark.slow
def test_a_restore_killed_after_the_disk_came_back_is_ended_by_apply(three: LivedIn) -> None:
    three.note("home/desk", "early")
    three.snapshot("create", "home", "--name", "before")
    three.note("home/desk", "late")
    with Events(three.lab.socket) as events:
        process = three.start("snapshot", "restore", "home/desk", "--name", "before", "--yes")
        at_once(events, "instance-restored", process.kill)
    three.end_of(process)
    three.ok("apply", "--yes")
    assert three.notes("home/desk") == ["early", "early"]
    three.settled()


@pytest.mark.parametrize(
    ("moment", "by"),
    [
        pytest.param("storage-volume-restored", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("instance-snapshot-created", signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param("instance-restored", signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_an_incus_that_restarts_in_the_middle_of_a_restore_is_waited_for(
    three: LivedIn, moment: str, by: signal.Signals
) -> None:
    three.note("home/desk", "early")
    three.snapshot("create", "home", "--name", "before")
    three.note("home/desk", "late")
    with Events(three.lab.socket) as events:
        process = three.start("snapshot", "restore", "home/desk", "--name", "before", "--yes")
        events.wait_for(moment)
        three.lab.restart_daemon(by)
    done = three.end_of(process)
    if done.code:
        three.follow(done.err)
    assert three.notes("home/desk") == ["early", "early"]
    three.settled()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before the copy", "after it"])
def test_a_disk_that_a_killed_incus_left_beside_is_told_with_what_to_do(
    three: LivedIn, moment: str
) -> None:
    """What its driver for btrfs has done when it is killed; the kill itself rarely meets that moment."""
    three.note("home/desk", "early")
    three.snapshot("create", "home", "--name", "before")
    three.note("home/desk", "late")
    three.incus("stop", "--force", "--project", "home", "home-desk")
    [pool] = (three.lab.root / "incus" / "storage-pools").glob("*")
    disk = pool / "containers" / "home_home-desk"
    three.in_lab("mv", f"{disk}", f"{disk}.incustmp")
    if moment == "after it":
        snapshot = pool / "containers-snapshots" / "home_home-desk" / "before"
        three.in_lab("btrfs", "subvolume", "snapshot", f"{snapshot}", f"{disk}")
    words = ("snapshot", "restore", "home/desk", "--name", "before", "--no-copy", "--yes")
    done = three.freehold(*words, "--confirm", "home/desk")
    assert done.code == 1, done
    three.follow(done.err)
    assert three.notes("home/desk") == ["early", "early"]
    three.settled()


@pytest.mark.slow
def test_ctrl_c_in_a_restore_says_how_to_end_it(three: LivedIn) -> None:
    three.note("home/desk", "early")
    three.snapshot("create", "home", "--name", "before")
    three.note("home/desk", "late")
    words = ("snapshot", "restore", "home/desk", "--name", "before", "--yes")
    with Events(three.lab.socket) as events:
        process = three.start(*words)
        events.wait_for("storage-volume-restored")
        process.send_signal(signal.SIGINT)
    done = three.end_of(process)
    assert done.code in (0, 1, 4), done
    three.ok(*words)
    assert three.notes("home/desk") == ["early", "early"]
    three.settled()
