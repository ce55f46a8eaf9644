"""Snapshots as a state: what is there is left, what lacks is taken, and what somebody left half made does not count."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network

import pytest

from freehold.diagnostics import UsageError
from freehold.model import Infra
from freehold.operations.snapshots.asking import moment_after
from freehold.operations.snapshots.planner import Asked, Seen
from freehold.operations.snapshots.wanted import absent, present
from freehold.planning.change import Action
from freehold.providers.incus.snapshots.reading import Look, Snapshot, Target
from freehold.providers.incus.snapshots.unfinished import Unfinished

THEN = datetime(2026, 11, 21, 19, 30, tzinfo=UTC)


def target(machine: str, *names: str, domain: str = "home", has_disk: bool = True) -> Target:
    return Target(
        domain=domain,
        machine=machine,
        instance=f"{domain}-{machine}",
        status="Running",
        made=THEN,
        snapshots=tuple(Snapshot(name=name, made=THEN, has_disk=has_disk) for name in names),
    )


def seen(*targets: Target, unfinished: dict[str, Unfinished] | None = None) -> Seen:
    domains: dict[str, list[Target]] = {}
    for each in targets:
        domains.setdefault(each.domain, []).append(each)
    return Seen(
        infra=Infra(name="cottage", base=IPv4Network("10.100.0.0/16")),
        look=Look(targets, unfinished or {}),
        domains=domains,
        own=None,
        again=False,
    )


def planned(asked: Asked, what: Seen) -> dict[str, tuple[Action, list[str]]]:
    """By address: what is done to which machines. Nothing may stand in the way."""
    changes, problems = asked(what)
    assert list(problems) == []
    return {
        str(change.address): (change.action, (change.desired or change.observed or {})["machines"])
        for change in changes
    }


def test_only_what_lacks_is_taken() -> None:
    what = seen(target("desk", "a"), target("shelf"), target("till", "a", domain="lodge"))
    assert planned(present("a", None), what) == {"snapshot:home/a": (Action.CREATE, ["shelf"])}
    assert planned(present("a", None), seen(target("desk", "a"))) == {}


def test_what_somebody_left_half_made_is_not_there() -> None:
    left = {"home": Unfinished("a", ("desk", "shelf"))}
    what = seen(target("desk", "a"), target("shelf"), unfinished=left)
    assert planned(present("a", None), what) == {
        "snapshot:home/a": (Action.CREATE, ["desk", "shelf"])
    }
    other = {"home": Unfinished("b", ("desk",))}
    assert planned(present("a", None), seen(target("desk", "a"), unfinished=other)) == {}


def test_parts_of_volumes_that_nobody_knows_are_in_the_way() -> None:
    _, problems = present("a", None)(seen(target("desk", "a", has_disk=False)))
    assert [problem.code for problem in problems] == ["snapshot-exists"]


def test_gone_is_gone() -> None:
    what = seen(target("desk", "a", "b"), target("shelf"), target("till", domain="lodge"))
    assert planned(absent("a"), what) == {"snapshot:home/a": (Action.DELETE, ["desk"])}
    assert planned(absent("c"), what) == {}


@pytest.mark.parametrize(
    ("time", "length"),
    [("12h", timedelta(hours=12)), ("7d", timedelta(days=7)), ("4w", timedelta(weeks=4))],
)
def test_a_time_is_counted_from_now(time: str, length: timedelta) -> None:
    assert abs(moment_after(time) - (datetime.now(UTC) + length)) < timedelta(minutes=1)


@pytest.mark.parametrize("time", ["", "7", "0d", "-1d", "7 d", "1.5h", "7m", "soon"])
def test_what_is_no_time_is_refused(time: str) -> None:
    with pytest.raises(UsageError) as refused:
        moment_after(time)
    assert refused.value.diagnostics[0].code == "bad-time"
