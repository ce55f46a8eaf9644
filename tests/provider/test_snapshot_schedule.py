"""A declared schedule that Incus carries out: what the instance gets, that a plan shows it, and that snapshots come of it."""

import time

import pytest

from freehold.model.snapshots import is_scheduled_name
from tests.provider.estate import ONE_MACHINE, Server


def declared(snapshots: str) -> str:
    return ONE_MACHINE.replace("10.100.7.10}", f"10.100.7.10, snapshots: {snapshots}}}")


def options(server: Server) -> dict[str, str]:
    config = server.instance("lab", "lab-one")["config"]
    return {key: value for key, value in config.items() if key.startswith("snapshots.")}


@pytest.mark.parametrize(
    ("snapshots", "schedule"),
    [
        pytest.param("{schedule: hourly}", "@hourly", marks=pytest.mark.slow),
        ("{schedule: daily, keep: {daily: 7, weekly: 4}}", "@daily"),
        pytest.param("{schedule: weekly}", "@weekly", marks=pytest.mark.slow),
        pytest.param("{schedule: monthly}", "@monthly", marks=pytest.mark.slow),
    ],
)
def test_incus_takes_every_schedule(server: Server, snapshots: str, schedule: str) -> None:
    server.apply(declared(snapshots))
    assert options(server) == {
        "snapshots.schedule": schedule,
        "snapshots.pattern": "scheduled-{{ creation_date|date:'20060102-1504' }}",
    }
    assert server.plan(declared(snapshots)).is_empty


def test_a_schedule_comes_and_goes_while_the_machine_runs(server: Server) -> None:
    server.apply(ONE_MACHINE)
    started = server.instance("lab", "lab-one")["last_used_at"]
    for text in (declared("{schedule: daily}"), ONE_MACHINE):
        [change] = server.plan(text).changes
        assert {field.path.rpartition(".")[0] for field in change.fields} <= {"config.snapshots", "config.snapshots.schedule"}  # fmt: skip
        assert {str(field.impact) for field in change.fields} == {"live"}
        server.apply(text)
    assert options(server) == {}
    assert server.instance("lab", "lab-one")["last_used_at"] == started


@pytest.mark.parametrize(
    "snapshots",
    ["{schedule: daily, post: sync}", "{schedule: daily, pre: sync}", "{schedule: never}"],
)  # fmt: skip
def test_what_incus_cannot_carry_out_is_not_asked_of_it(server: Server, snapshots: str) -> None:
    server.apply(declared(snapshots))
    assert options(server) == {}


@pytest.mark.slow
def test_incus_makes_snapshots_that_we_know(server: Server) -> None:
    """The schedule itself is one that nobody needs to wait long for."""
    if not server.is_real:
        pytest.skip("the fake has no clock")
    server.apply(declared("{schedule: daily}"))
    config = server.instance("lab", "lab-one")["config"] | {"snapshots.schedule": "* * * * *"}
    server.by_hand("PATCH", "/instances/lab-one", {"config": config}, "lab")
    made: list[dict[str, str]] = []
    until = time.monotonic() + 130
    while not made and time.monotonic() < until:
        time.sleep(1)
        path = "/instances/lab-one/snapshots"
        made = server.wait(server.incus.get(path, recursion="1", project="lab"))
    assert is_scheduled_name(made[0]["name"])
    assert made[0]["expires_at"].startswith("0001-01-01"), "only the keep rule ends it"
