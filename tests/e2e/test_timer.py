"""The timer of scheduled snapshots in the lab, as its user meets it: it comes with a schedule and goes with it. How it ends with the lab: tests/lab."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.model.snapshots import is_scheduled_name
from freehold.operations.lab import Lab
from freehold.system.timers.api import TimerState
from freehold.system.timers.job import path_of, socket_of
from freehold.system.unix_http import listener_pid
from tests.e2e.estate import Estate
from tests.e2e.rules import becomes_true

pytestmark = [pytest.mark.lab, pytest.mark.slow]

SCHEDULED = """
    freehold: 1
    name: cottage
    snapshots: {schedule: daily, keep: {daily: 7, weekly: 4}}
    domains:
      home: {subnet_id: 11, machines: {desk: {ip: 10.100.11.10}}}
    """
TIMER = "+ timer host: scheduled snapshots, every 2 s"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEHOLD_TIMER_SECONDS", "2")


@pytest.fixture
def scheduled(estate: Estate) -> Estate:
    estate.write(SCHEDULED)
    estate.ok("apply", "--yes", "--only", "timer")
    return estate


def state(lab: Lab) -> TimerState | None:
    return asyncio.run(lab.timers().read("cottage"))


def pid(lab: Lab) -> int | None:
    """That of the timer's process, whether the lab runs or not."""
    return listener_pid(socket_of(path_of(lab.root / "firewall", "cottage")))


def scheduled_ones(estate: Estate) -> list[str]:
    """The machine's snapshots that a schedule made."""
    text = estate.incus("snapshot", "list", "--project", "home", "home-desk", "--format", "csv")
    names = [line.split(",")[0] for line in text.splitlines()]
    return [name for name in names if is_scheduled_name(name)]


def test_it_comes_with_a_schedule_runs_freehold_and_goes_with_it(estate: Estate) -> None:
    estate.write(SCHEDULED)
    assert TIMER in estate.ok("plan").out
    estate.ok("apply", "--yes")
    assert "Nothing to do" in estate.ok("plan").out

    assert becomes_true(lambda: bool(scheduled_ones(estate)), 90)
    assert becomes_true(
        lambda: (found := state(estate.lab)) is not None and found.last is not None, 90
    )
    found = state(estate.lab)
    assert found is not None
    assert found.job.folder == str(estate.folder)
    assert Path(found.job.program[0]).name == "freehold"
    assert found.last is not None
    assert found.last.code == 0, found.last
    assert len(scheduled_ones(estate)) == 1, "one a day"

    estate.edit("schedule: daily", "schedule: never")
    assert "timer: runs → none, no machine needs it" in estate.ok("plan").out
    estate.ok("apply", "--yes")
    assert (state(estate.lab), pid(estate.lab)) == (None, None)
    assert "Nothing to do" in estate.ok("plan").out
    estate.ok("destroy", "--yes", "--confirm", "cottage")


def test_it_goes_with_the_estate(scheduled: Estate) -> None:
    assert pid(scheduled.lab) is not None
    scheduled.ok("destroy", "--yes", "--confirm", "cottage")
    assert (state(scheduled.lab), pid(scheduled.lab)) == (None, None)
    assert not list((scheduled.lab.root / "firewall").glob("cottage*"))


def spoil_by_killing(estate: Estate) -> Estate:
    found = pid(estate.lab)
    assert found is not None
    os.kill(found, signal.SIGKILL)
    assert becomes_true(lambda: pid(estate.lab) is None, 60)
    return estate


def spoil_by_moving(estate: Estate) -> Estate:
    there = estate.folder / "there"
    there.mkdir()
    (estate.folder / "infra.yml").rename(there / "infra.yml")
    return Estate(there, estate.lab)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [(spoil_by_killing, "timer: does not run → runs"), (spoil_by_moving, "/there")],
)
def test_one_that_is_not_as_it_should_be_is_put_right(
    scheduled: Estate, spoil: Callable[[Estate], Estate], told: str
) -> None:
    estate = spoil(scheduled)
    planned = estate.ok("plan", "--only", "timer").out
    assert "~ timer host" in planned
    assert told in planned
    estate.ok("apply", "--yes", "--only", "timer")
    assert "Nothing to do" in estate.ok("plan", "--only", "timer").out
    found = state(estate.lab)
    assert found is not None
    assert (found.job.folder, found.runs) == (str(estate.folder), True)
    estate.ok("destroy", "--yes")
