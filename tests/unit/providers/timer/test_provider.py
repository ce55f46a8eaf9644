"""The timer is in the plan when a schedule needs it, whenever it is not as it should be, and no longer than that."""

import asyncio
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from freehold.diagnostics import BackendError
from freehold.model import Domain, Infra, Keep, Machine, Schedule, Snapshots, Trust, Volume
from freehold.planning.change import Action
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.providers.protocol import Observation
from freehold.providers.timer.provider import ADDRESS, TimerProvider
from freehold.system.timers.fake import FakeTimers
from freehold.views.essentials import essentials

DAILY = Snapshots(schedule=Schedule.DAILY, keep=Keep(daily=7))
WITH_WEEKS = Snapshots(schedule=Schedule.DAILY, keep=Keep(daily=7, weekly=4))


def estate(snapshots: Snapshots = WITH_WEEKS, *volumes: Volume) -> Infra:
    desk = Machine(
        domain="home", name="desk", image="debian/13", snapshots=snapshots, volumes=volumes
    )
    subnet = IPv4Network("10.100.1.0/24")
    home = Domain(name="home", subnet_id=1, subnet=subnet, trust=Trust.TRUSTED, machines=(desk,))
    return Infra(name="cottage", base=IPv4Network("10.100.0.0/16"), domains=(home,))


NONE = estate(Snapshots())


@pytest.fixture
def timers() -> FakeTimers:
    return FakeTimers()


@pytest.fixture
def provider(timers: FakeTimers, tmp_path: Path) -> TimerProvider:
    return TimerProvider(timers, tmp_path)


def plan_of(provider: TimerProvider, infra: Infra, *, destroy: bool = False) -> Plan:
    async def look() -> Plan:
        seen = await provider.observe(infra)
        wanted = {} if destroy else provider.desired(infra, Observation(seen.observed))
        question = Question(
            estate=infra.name,
            desired=wanted,
            observed=seen.observed,
            kinds=provider.kinds,
            destroy=destroy,
        )
        return compare(question)

    return asyncio.run(look())


def apply(provider: TimerProvider, infra: Infra, *, destroy: bool = False) -> None:
    async def work() -> None:
        for change in plan.changes:
            for step in provider.steps(infra.name, change):
                await step.run(lambda text: None)

    plan = plan_of(provider, infra, destroy=destroy)
    asyncio.run(work())


def test_it_comes_and_goes_with_the_schedules_that_need_it(
    timers: FakeTimers, provider: TimerProvider, tmp_path: Path
) -> None:
    assert plan_of(provider, NONE).is_empty
    [change] = plan_of(provider, estate()).changes
    assert (change.address, change.action) == (ADDRESS, Action.CREATE)
    assert essentials(change) == ["scheduled snapshots, every hour"]

    apply(provider, estate())
    assert timers.states["cottage"].job.argv == (
        "/usr/bin/freehold", "-C", str(tmp_path), "snapshot", "due",
    )  # fmt: skip
    assert plan_of(provider, estate()).is_empty

    apply(provider, NONE)
    assert timers.states == {}
    assert plan_of(provider, NONE).is_empty


def test_what_incus_makes_is_thinned_by_it_too(provider: TimerProvider) -> None:
    assert not plan_of(provider, estate(DAILY)).is_empty
    assert not plan_of(provider, estate(DAILY, Volume(name="data", path="/srv"))).is_empty
    assert plan_of(provider, NONE).is_empty


def test_it_goes_with_the_estate(timers: FakeTimers, provider: TimerProvider) -> None:
    apply(provider, estate())
    [change] = plan_of(provider, estate(), destroy=True).changes
    assert (change.action, change.destroys_data) == (Action.DELETE, False)
    apply(provider, estate(), destroy=True)
    assert timers.states == {}


def told(plan: Plan) -> list[tuple[str, object, object]]:
    [change] = plan.changes
    return [(field.path, field.before, field.after) for field in change.fields]


def test_one_that_stopped_is_started_again(timers: FakeTimers, provider: TimerProvider) -> None:
    apply(provider, estate())
    timers.states["cottage"] = replace(timers.states["cottage"], runs=False)
    assert told(plan_of(provider, estate())) == [("timer", "does not run", "runs")]
    apply(provider, estate())
    assert plan_of(provider, estate()).is_empty


def test_one_of_another_program_is_replaced(timers: FakeTimers, provider: TimerProvider) -> None:
    apply(provider, estate())
    timers.program = "/opt/new/freehold"
    assert told(plan_of(provider, estate())) == [
        ("program", "/usr/bin/freehold", "/opt/new/freehold")
    ]
    apply(provider, estate())
    assert plan_of(provider, estate()).is_empty


def test_one_of_another_folder_is_replaced(
    timers: FakeTimers, provider: TimerProvider, tmp_path: Path
) -> None:
    apply(provider, estate())
    moved = TimerProvider(timers, tmp_path / "moved")
    assert told(plan_of(moved, estate())) == [("folder", str(tmp_path), str(tmp_path / "moved"))]
    apply(moved, estate())
    assert plan_of(moved, estate()).is_empty


def test_from_inside_a_control_machine_it_is_left_alone(tmp_path: Path) -> None:
    inside = TimerProvider(None, tmp_path)
    for infra in (estate(), NONE):
        assert plan_of(inside, infra).is_empty
        assert plan_of(inside, infra, destroy=True).is_empty


def test_a_plan_saved_on_the_host_is_refused_inside(timers: FakeTimers, tmp_path: Path) -> None:
    [change] = plan_of(TimerProvider(timers, tmp_path), estate()).changes
    [step] = TimerProvider(None, tmp_path).steps("cottage", change)
    with pytest.raises(BackendError) as refused:
        asyncio.run(step.run(lambda text: None))  # type: ignore[arg-type]
    assert refused.value.diagnostics[0].code == "only-on-the-host"
