"""Timers of estates in the lab: they end with it, however it ends, and come back with it."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from freehold.system.processes import identify
from freehold.system.timers.job import path_of, read_run, socket_of
from freehold.system.unix_http import listener_pid
from tests.lab.conftest import network_namespace, traces

pytestmark = pytest.mark.lab


def pid(lab: Lab) -> int | None:
    """That of the timer's process, whether the lab runs or not."""
    return listener_pid(socket_of(path_of(lab.root / "firewall", "cottage")))


def becomes_true(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < until:
        time.sleep(0.05)
    return met


@pytest.fixture
def timed(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """With a timer that goes off every second, for an estate that is not there."""
    monkeypatch.setenv("FREEHOLD_TIMER_SECONDS", "1")
    timers = lab.timers()
    asyncio.run(timers.keep(timers.job("cottage", tmp_path)))
    assert pid(lab) is not None
    return lab


def test_they_end_with_the_lab_and_come_back_with_it(timed: Lab) -> None:
    network, first = network_namespace(timed), pid(timed)
    assert first is not None
    timed.stop()
    assert identify(first) is None
    assert traces(timed, network) == []

    timed.start()
    again = pid(timed)
    assert again not in (None, first)
    timed.start()
    assert pid(timed) == again, "one of them is enough"


def test_they_end_when_the_lab_is_cut_off(timed: Lab) -> None:
    holder = identify(timed.status().pid or 0)
    assert holder is not None
    holder.signal(signal.SIGKILL)
    assert becomes_true(lambda: pid(timed) is None)
    timed.start()
    assert pid(timed) is not None


def test_one_that_was_killed_is_back_when_the_lab_is_started_once_more(timed: Lab) -> None:
    found = identify(pid(timed) or 0)
    assert found is not None
    found.signal(signal.SIGKILL)
    assert becomes_true(lambda: pid(timed) is None)
    timed.start()
    assert pid(timed) is not None


def test_a_run_finds_the_lab(timed: Lab) -> None:
    """What it says is about the folder, which has no infra.yml: it got that far."""
    path = path_of(timed.root / "firewall", "cottage")
    assert becomes_true(lambda: read_run(path) is not None)
    last = read_run(path)
    assert last is not None
    assert last.code not in (0, 127)
    assert "Traceback" not in last.output
