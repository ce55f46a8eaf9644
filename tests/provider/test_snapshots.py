"""Taking snapshots, deleting them and going back, as `freehold snapshot` does it, on the fake and on a real Incus."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from freehold.diagnostics import UsageError
from freehold.engine.run import RunResult, run
from freehold.operations.snapshots.late import late_schedules
from freehold.operations.snapshots.planner import Asked, SnapshotPlanner
from freehold.operations.snapshots.returning import Returning
from freehold.operations.snapshots.scheduled import scheduled
from freehold.operations.snapshots.taking import deleting, taking
from freehold.planning.plan import Plan
from freehold.planning.selection import Selection
from freehold.providers.incus.snapshots.quiet import Hooks
from freehold.providers.incus.snapshots.reading import Target, read_targets
from freehold.providers.incus.snapshots.steps import SnapshotSteps
from freehold.providers.incus.snapshots.unfinished import (
    MAKING,
    RESTORING,
    Unfinished,
    mark_domain,
    mark_instance,
)
from freehold.system.incus.api import ExecResult, IncusError, IncusInterrupted
from freehold.system.incus.fake import FakeIncus
from freehold.system.incus.thaw import NobodyWatches
from tests.provider.estate import Server, infra_of

TWO_DOMAINS = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        machines:
          one: {ip: 10.100.7.10, volumes: {data: {path: /srv/data, size: 64MiB}}}
          two: {ip: 10.100.7.11}
      shed: {subnet_id: 8, machines: {box: {ip: 10.100.8.10}}}
    """


def planner(
    server: Server, asked: Asked, *words: str, text: str = TWO_DOMAINS, **hooks: Hooks
) -> SnapshotPlanner:
    commands = {key.replace("_", "/"): hook for key, hook in hooks.items()}
    provider = SnapshotSteps(server.incus, NobodyWatches(), commands)
    infra = infra_of(server.folder, text)
    return SnapshotPlanner(infra=infra, provider=provider, words=words or ("all",), asked=asked)


def plan(server: Server, asked: Asked, *words: str) -> Plan:
    return server.wait(planner(server, asked, *words).look()).plan


def carried_out(server: Server, by: SnapshotPlanner) -> RunResult:
    plan = server.wait(by.look()).plan
    assert plan.can_apply, plan.diagnostics
    return server.wait(run(by, plan, server.events.append, asyncio.Event()))


def done(server: Server, asked: Asked, *words: str, **hooks: Any) -> RunResult:
    result = carried_out(server, planner(server, asked, *words, **hooks))
    assert result.exit_code == 0, result
    return result


def targets(server: Server) -> dict[str, Target]:
    return {
        t.key: t
        for t in server.wait(read_targets(server.incus, "test-estate", with_expiry=True)).targets
    }


def names(server: Server, key: str) -> list[str]:
    return [snapshot.name for snapshot in targets(server)[key].snapshots]


def codes(plan: Plan) -> list[str]:
    return [diagnostic.code for diagnostic in plan.diagnostics]


def writes(
    server: Server, beginning: Sequence[str] = ("POST", "PUT", "DELETE", "PATCH")
) -> list[str]:
    return [write for write in server.incus.writes if write.split()[0] in beginning]


mostly_fake = pytest.mark.parametrize(
    "server",
    ["fake", pytest.param("real", marks=[pytest.mark.lab, pytest.mark.slow])],
    indirect=True,
)
"""For what tests/e2e sees on a real Incus too."""


@pytest.fixture
def estate(server: Server) -> Server:
    server.apply(TWO_DOMAINS)
    server.incus.writes.clear()
    return server


@pytest.fixture
def on_fake(tmp_path: Any) -> Any:
    """On the fake, which can be told to fail as the real one did."""
    from tests.provider.estate import Counting

    loop = asyncio.new_event_loop()
    server = Server(Counting(FakeIncus(images=("debian/13",))), tmp_path, loop, is_real=False)
    server.apply(TWO_DOMAINS)
    yield server
    loop.close()


def fake_of(server: Server) -> FakeIncus:
    assert isinstance(server.incus.incus, FakeIncus)
    return server.incus.incus


def test_a_domain_is_taken_with_its_volumes_and_nothing_of_another_is_touched(
    estate: Server,
) -> None:
    done(estate, taking("before", None), "lab")
    of = targets(estate)
    found = of["lab/one"].snapshot("before")
    assert found is not None
    assert [place.name for place in found.volumes] == ["one.data"]
    assert found.expires is None
    assert of["lab/two"].snapshot("before")
    assert names(estate, "shed/box") == []
    assert all("shed" not in write for write in writes(estate))
    assert MAKING not in estate.wait(estate.incus.get("/projects/lab"))["config"]
    assert estate.plan(TWO_DOMAINS).is_empty, "snapshots of volumes are no orphans"
    assert not estate.plan(TWO_DOMAINS).orphans


@mostly_fake
def test_it_expires_when_that_was_asked_for_with_its_volumes(estate: Server) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    done(estate, taking("short", at), "lab/one")
    found = targets(estate)["lab/one"].snapshot("short")
    assert found is not None
    assert found.expires == at
    path = "/storage-pools/default/volumes/custom/one.data/snapshots/short"
    told = estate.wait(estate.incus.get(path, project="lab"))["expires_at"]
    assert datetime.fromisoformat(told) == at


def test_by_hand_it_never_expires_whatever_the_schedule_of_incus_says(estate: Server) -> None:
    estate.by_hand("PATCH", "/instances/lab-two", {"config": {"snapshots.expiry": "7d"}}, "lab")
    done(estate, taking("mine", None), "lab/two")
    found = targets(estate)["lab/two"].snapshot("mine")
    assert found is not None
    assert found.expires is None


@mostly_fake
def test_a_name_that_is_taken_is_refused_before_anything_is_done(estate: Server) -> None:
    done(estate, taking("before", None), "lab/two")
    refused = plan(estate, taking("before", None))
    assert codes(refused) == ["snapshot-exists"]
    assert "lab/two" in str(refused.diagnostics[0].detail)
    assert not refused.can_apply


@mostly_fake
def test_words_that_mean_nothing_are_all_told(estate: Server) -> None:
    with pytest.raises(UsageError) as raised:
        plan(estate, taking("x", None), "lap", "self", "shed")
    told = [diagnostic.code for diagnostic in raised.value.diagnostics]
    assert told == ["unknown-target", "not-inside"]
    assert "lab" in str(raised.value.diagnostics[0].hint)


def test_going_back_keeps_today_s_settings_and_what_was_there(estate: Server) -> None:
    done(estate, taking("before", None))
    changed = TWO_DOMAINS.replace("{ip: 10.100.7.11}", "{ip: 10.100.7.12, memory: 256MiB}")
    estate.apply(changed)
    going = Returning("before")
    done(estate, going, "lab", text=changed)
    assert estate.plan(changed).is_empty
    assert estate.addresses("lab", "lab-two") == ["10.100.7.12"]
    assert names(estate, "lab/two") == ["before", going.copy]
    kept = targets(estate)["lab/one"].snapshot(going.copy)
    assert kept is not None
    assert [place.name for place in kept.volumes] == ["one.data"]
    assert kept.expires is not None
    assert timedelta(days=6) < kept.expires - kept.made <= timedelta(days=7)
    assert names(estate, "shed/box") == ["before"]


@mostly_fake
def test_without_a_name_it_is_the_newest_that_all_have(estate: Server) -> None:
    for name, words in (("first", ["lab"]), ("second", ["lab"]), ("third", ["lab/one"])):
        done(estate, taking(name, None), *words)
    reasons = [change.reason for change in plan(estate, Returning(None), "lab").changes]
    assert len(reasons) == 2
    assert all(reason.startswith("goes back to second of ") for reason in reasons)
    [alone] = plan(estate, Returning(None), "lab/one").changes
    assert alone.reason.startswith("goes back to third of ")
    assert codes(plan(estate, Returning(None), "shed")) == ["no-snapshots"]
    assert codes(plan(estate, Returning("secnd"), "lab")) == ["no-such-snapshot"]


@mostly_fake
def test_without_a_copy_data_is_lost_and_the_plan_says_so(estate: Server) -> None:
    done(estate, taking("before", None), "lab/two")
    [change] = plan(estate, Returning("before", keeps=False), "lab/two").changes
    assert change.destroys_data
    done(estate, Returning("before", keeps=False), "lab/two")
    assert names(estate, "lab/two") == ["before"]


@mostly_fake
def test_a_volume_that_came_later_stays_and_that_is_said(estate: Server) -> None:
    done(estate, taking("before", None), "lab/two")
    text = TWO_DOMAINS.replace("10.100.7.11}", "10.100.7.11, volumes: {new: {path: /srv/new}}}")
    estate.apply(text)
    by = planner(estate, Returning("before"), "lab/two", text=text)
    picture = estate.wait(by.look())
    assert codes(picture.plan) == ["volume-stays"]
    assert "two.new" in str(picture.plan.diagnostics[0].detail)
    assert carried_out(estate, by).exit_code == 0
    assert estate.plan(text).is_empty


@mostly_fake
def test_deleting_takes_the_volumes_along_and_only_what_is_named(estate: Server) -> None:
    for name in ("before", "after"):
        done(estate, taking(name, None), "lab")
    done(estate, deleting("before"), "lab/one")
    assert names(estate, "lab/one") == ["after"]
    assert names(estate, "lab/two") == ["before", "after"]
    volumes = estate.wait(
        estate.incus.get("/storage-pools/default/volumes/custom", project="lab", recursion="1")
    )
    assert {v["name"] for v in volumes} == {"one.data", "one.data/after"}
    assert codes(plan(estate, deleting("before"), "lab/one")) == ["no-such-snapshot"]


def test_an_image_change_takes_the_snapshots_of_the_disk_along(estate: Server) -> None:
    done(estate, taking("before", None), "lab/one")
    text = TWO_DOMAINS.replace("{ip: 10.100.7.10,", "{ip: 10.100.7.10, image: test/other,")
    estate.apply(text)
    [left] = targets(estate)["lab/one"].snapshots
    assert not left.has_disk, "that of its volume is kept: the volume was not touched"
    assert codes(plan(estate, Returning("before"), "lab/one")) == ["no-such-snapshot"]
    assert estate.plan(text).is_empty


@mostly_fake
def test_schedules_take_what_is_due_and_thin_only_their_own(estate: Server) -> None:
    text = TWO_DOMAINS + "snapshots: {schedule: hourly, keep: {hourly: 1}}\n"
    estate.apply(text)
    done(estate, taking("by-hand", None), "lab/one")
    now = datetime.now().astimezone()
    done(estate, scheduled(now), text=text)
    first = now.strftime("scheduled-%Y%m%d-%H%M")
    assert all(first in names(estate, key) for key in ("lab/one", "lab/two", "shed/box"))
    assert planned(estate, scheduled(now), text) == {}
    later = now + timedelta(hours=1)
    done(estate, scheduled(later), text=text)
    again = later.strftime("scheduled-%Y%m%d-%H%M")
    assert names(estate, "lab/one") == ["by-hand", first, again], "thinned by the next run"
    done(estate, scheduled(later), text=text)
    assert names(estate, "lab/one") == ["by-hand", again]


def planned(server: Server, asked: Asked, text: str) -> dict[str, str]:
    changes = server.wait(planner(server, asked, text=text).look()).plan.changes
    return {str(change.address): change.action.value for change in changes}


@mostly_fake
def test_what_incus_missed_while_the_computer_was_off_is_taken(estate: Server) -> None:
    text = TWO_DOMAINS.replace("{ip: 10.100.7.11}", "{ip: 10.100.7.11, snapshots: {schedule: daily}}")  # fmt: skip
    now = datetime.now().astimezone()
    done(estate, scheduled(now), text=text)
    tomorrow = now.replace(hour=0, minute=30) + timedelta(days=1)
    assert planned(estate, scheduled(tomorrow), text) == {}, "it is Incus's turn"
    later = tomorrow + timedelta(hours=1)
    name = f"snapshot:lab/scheduled-{later:%Y%m%d-%H%M}"
    assert planned(estate, scheduled(later), text) == {name: "create"}


@mostly_fake
def test_a_schedule_that_fell_behind_is_told(estate: Server) -> None:
    text = TWO_DOMAINS.replace("{ip: 10.100.7.11}", "{ip: 10.100.7.11, snapshots: {schedule: daily, pre: sync}}")  # fmt: skip
    infra = infra_of(estate.folder, text)

    def told(ahead: timedelta) -> list[tuple[str, str]]:
        now = datetime.now().astimezone() + ahead
        found = estate.wait(late_schedules(infra, Selection(), estate.incus, None, now))
        return [(each.code, str(each.detail).partition(":")[0]) for each in found]

    assert told(timedelta(0)) == [("no-scheduled-snapshot", "lab/two")]
    done(estate, scheduled(datetime.now().astimezone()), text=text)
    assert told(timedelta(hours=29)) == []
    assert told(timedelta(hours=31)) == [("snapshots-behind", "lab/two")]


@mostly_fake
def test_a_machine_never_freezes_itself(estate: Server) -> None:
    by = planner(estate, taking("x", None), "self")
    by.own = "lab-one"
    picture = estate.wait(by.look())
    assert codes(picture.plan) == ["own-machine-moves"]
    assert carried_out(estate, by).exit_code == 0
    assert names(estate, "lab/one") == ["x"]
    assert names(estate, "lab/two") == []
    assert not [write for write in writes(estate) if write.endswith("/state")]


def test_a_machine_goes_back_itself_in_one_request_and_not_with_volumes(estate: Server) -> None:
    done(estate, taking("before", None), "lab")
    estate.incus.writes.clear()
    by = planner(estate, Returning("before"), "self")
    by.own = "lab-two"
    picture = estate.wait(by.look())
    assert codes(picture.plan) == ["own-session"]
    estate.wait(run(by, picture.plan, estate.events.append, asyncio.Event()))
    asked = [write for write in writes(estate) if not write.endswith("/snapshots")]
    assert asked == ["PUT /instances/lab-two"], "what is now is kept first"
    by = planner(estate, Returning("before"), "self")
    by.own = "lab-one"
    refused = estate.wait(by.look()).plan
    assert codes(refused) == ["own-volumes"]


# What goes wrong, on the fake


def refuse(server: Server, method: str, path: str, **how: Any) -> None:
    error = IncusError(f"{method} {path}", 500, "no space left on device")
    fake_of(server).fail_next(method, path, error, **how)


def test_one_that_fails_takes_the_domain_s_others_along_and_no_other_domain(
    on_fake: Server,
) -> None:
    refuse(on_fake, "POST", "/instances/lab-two/snapshots")
    result = carried_out(on_fake, planner(on_fake, taking("before", None)))
    assert result.exit_code == 4
    assert names(on_fake, "lab/one") == names(on_fake, "lab/two") == []
    assert names(on_fake, "shed/box") == ["before"]
    assert MAKING not in on_fake.wait(on_fake.incus.get("/projects/lab"))["config"]
    assert on_fake.instance("lab", "lab-one")["status"] == "Running", "not left frozen"


def test_a_schedule_takes_each_machine_that_it_can(on_fake: Server) -> None:
    text = TWO_DOMAINS + "snapshots: {schedule: hourly}\n"
    refuse(on_fake, "POST", "/instances/lab-two/snapshots")
    now = datetime.now().astimezone()
    result = carried_out(on_fake, planner(on_fake, scheduled(now), text=text))
    assert result.exit_code == 4
    assert len(names(on_fake, "lab/one")) == 1
    assert names(on_fake, "lab/two") == []
    assert planned(on_fake, scheduled(now), text) == {
        f"snapshot:lab/scheduled-{now:%Y%m%d-%H%M}": "create"
    }


def test_an_incus_that_goes_away_in_the_middle_is_waited_for(on_fake: Server) -> None:
    away = IncusInterrupted("POST", "it restarts")
    fake_of(on_fake).fail_next("POST", "/instances/lab-two/snapshots", away, after=True)
    done(on_fake, taking("before", None), "lab")
    assert names(on_fake, "lab/one") == names(on_fake, "lab/two") == ["before"]
    assert MAKING not in on_fake.wait(on_fake.incus.get("/projects/lab"))["config"]


def test_what_somebody_was_ended_in_is_told_and_removed_by_the_next(on_fake: Server) -> None:
    left = Unfinished("half", ("one", "two"))
    on_fake.wait(mark_domain(on_fake.incus, "lab", left))
    on_fake.by_hand("POST", "/instances/lab-one/snapshots", {"name": "half"}, "lab")
    assert codes(on_fake.plan(TWO_DOMAINS)) == ["unfinished-snapshot"]
    assert on_fake.plan(TWO_DOMAINS).can_apply
    assert codes(plan(on_fake, Returning("half"), "lab/one")) == ["no-such-snapshot"]
    assert codes(plan(on_fake, Returning(None), "lab")) == ["no-snapshots"]
    done(on_fake, taking("new", None), "lab")
    assert names(on_fake, "lab/one") == ["new"]
    assert codes(on_fake.plan(TWO_DOMAINS)) == []


def test_the_same_name_again_ends_what_was_begun(on_fake: Server) -> None:
    on_fake.wait(mark_domain(on_fake.incus, "lab", Unfinished("before", ("one", "two"))))
    on_fake.by_hand("POST", "/instances/lab-one/snapshots", {"name": "before"}, "lab")
    done(on_fake, taking("before", None), "lab")
    found = targets(on_fake)["lab/one"].snapshot("before")
    assert found is not None
    assert [place.name for place in found.volumes] == ["one.data"]
    assert names(on_fake, "lab/two") == ["before"]


def test_half_way_back_nothing_is_started_until_it_is_at_the_end(on_fake: Server) -> None:
    done(on_fake, taking("before", None), "lab")
    on_fake.by_hand("PUT", "/instances/lab-one/state", {"action": "stop", "force": True}, "lab")
    on_fake.wait(mark_instance(on_fake.incus, "lab", "lab-one", "before"))
    refused = on_fake.plan(TWO_DOMAINS)
    assert codes(refused) == ["half-restored"]
    assert not refused.can_apply
    assert codes(plan(on_fake, taking("x", None))) == ["half-restored"]
    assert codes(plan(on_fake, deleting("before"), "lab")) == ["half-restored"]
    going = Returning("before")
    done(on_fake, going, "lab/one")
    assert names(on_fake, "lab/one") == ["before"], "what was half-way is not worth keeping"
    assert RESTORING not in on_fake.instance("lab", "lab-one")["config"]
    assert on_fake.plan(TWO_DOMAINS).is_empty


def test_data_of_disk_and_volume_come_back_together(on_fake: Server) -> None:
    state = fake_of(on_fake).state
    state.content["lab", "lab-one"] = "old disk"
    state.content["default", "lab", "one.data"] = "old volume"
    done(on_fake, taking("before", None), "lab")
    state.content["lab", "lab-one"] = "new disk"
    state.content["default", "lab", "one.data"] = "new volume"
    refuse(on_fake, "PUT", "/instances/lab-one")
    failed = carried_out(on_fake, planner(on_fake, Returning("before"), "lab/one"))
    assert failed.exit_code == 1
    assert codes(on_fake.plan(TWO_DOMAINS)) == ["half-restored"]
    done(on_fake, Returning("before"), "lab/one")
    assert state.content["lab", "lab-one"] == "old disk"
    assert state.content["default", "lab", "one.data"] == "old volume"


def test_what_was_left_is_removed_again_when_incus_goes_away_after_that(on_fake: Server) -> None:
    on_fake.wait(mark_domain(on_fake.incus, "lab", Unfinished("older", ("one",))))
    gone = IncusInterrupted("POST /instances/lab-one/snapshots", "gone")
    fake_of(on_fake).fail_next("POST", "/instances/lab-one/snapshots", gone, after=True, times=2)
    done(on_fake, taking("new", None), "lab/one")
    assert names(on_fake, "lab/one") == ["new"]
    assert MAKING not in on_fake.wait(on_fake.incus.get("/projects/lab"))["config"]


@mostly_fake
def test_a_machine_that_incus_starts_meanwhile_is_stopped_again(estate: Server) -> None:
    """A daemon that comes back starts what ran, some time after it was looked at."""
    done(estate, taking("before", None), "lab/one")
    estate.by_hand("PUT", "/instances/lab-one/state", {"action": "stop", "force": True}, "lab")
    by = planner(estate, Returning("before"), "lab/one")
    looked = estate.wait(by.look()).plan
    estate.by_hand("PUT", "/instances/lab-one/state", {"action": "start"}, "lab")
    result = estate.wait(run(by, looked, estate.events.append, asyncio.Event()))
    assert result.exit_code == 0, result
    assert estate.plan(TWO_DOMAINS).is_empty


def test_the_command_after_runs_also_when_the_one_before_failed(on_fake: Server) -> None:
    fake = fake_of(on_fake)
    fake.behaviour.commands["sh -c stop-it"] = ExecResult(7, "", "it says no\n")
    result = carried_out(
        on_fake, planner(on_fake, taking("x", None), "lab", lab_two=Hooks("stop-it", "go-on"))
    )
    assert result.exit_code == 1
    [diagnostic] = result.outcomes[0].diagnostics
    assert diagnostic.code == "snapshot-command-failed"
    assert "exit code 7: it says no" in str(diagnostic.detail)
    asked = [write.body["command"][2] for write in fake.writes if write.path.endswith("/exec")]
    assert asked == ["stop-it", "go-on"]
    assert names(on_fake, "lab/one") == names(on_fake, "lab/two") == []


def test_only_a_machine_with_volumes_is_frozen_and_only_for_that(estate: Server) -> None:
    done(estate, taking("x", None), "lab")
    asked = [write for write in writes(estate) if write.endswith("/state")]
    assert asked == ["PUT /instances/lab-one/state"] * 2
    assert {t.status for t in targets(estate).values()} == {"Running"}
