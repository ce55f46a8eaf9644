"""Targets that are several, silent, gone, or not as they should be: the rest goes on, and the plan says what is not known."""

import dataclasses

import pytest

from freehold.diagnostics import Severity
from freehold.planning.plan import Plan
from freehold.planning.selection import Selection
from freehold.providers.compose.project import Project
from freehold.system.targets.fake import FakeTargets, out_of_reach
from tests.compose.docker import FakeDocker
from tests.compose.estate import TARGET, Desk, problems_of
from tests.compose.real import IMAGES
from tests.compose.test_services import DB, NOTHING, RUNNING, SITE, services, started
from tests.provider.estate import change_of, summary

ON_TWO = ("db: {on: home/box", "db: {on: cortex, from: {keep: [all]}")
HOST = ("    domains:", "    hosts: {cortex: {address: 203.0.113.20}}\n    domains:")


def codes(plan: Plan) -> list[tuple[str, Severity]]:
    return [(each.code, each.severity) for each in plan.diagnostics]


@pytest.fixture
def cortex(in_memory: Desk) -> FakeDocker:
    """The estate with its database on a host; this is the host's Docker."""
    targets = in_memory.targets.inner
    assert isinstance(targets, FakeTargets)
    target = targets.fake("cortex")
    docker = FakeDocker(target, images=set(IMAGES))
    target.answers = docker.answer
    in_memory.edit(*HOST)
    in_memory.edit(*ON_TWO)
    return docker


def test_a_service_waits_for_its_need_on_another_target(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    assert started(in_memory) == ["db", "site"]
    assert (set(cortex.containers), set(docker.containers)) == ({"db"}, {"site"})
    plan = in_memory.plan(prune=True)
    assert services(plan) == NOTHING


def test_a_need_that_fails_elsewhere_keeps_it_from_starting(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    cortex.breaks.add("keeper")
    result = in_memory.carry_out()
    assert started(in_memory) == ["db"]
    assert docker.containers == {}
    skipped = {str(each.change.address): each.reason for each in result.outcomes}
    assert skipped[SITE] == "service:cortex/db was not done"


@pytest.mark.parametrize(("mebibytes", "told"), [(700, True), (4096, False)])
def test_a_host_that_is_too_small_for_its_services_is_told_before_anything_is_there(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker, mebibytes: int, told: bool) -> None:  # fmt: skip
    cortex.absent, cortex.memory = True, mebibytes * 1024**2
    keeper = in_memory.folder / "catalog" / "keeper.yml"
    keeper.write_text(keeper.read_text() + "memory: 640MiB\n")
    plan = in_memory.plan()
    small = [each.detail for each in plan.diagnostics if each.code == "host-memory-tight"]
    assert small == (["At rest the services of cortex take 640 MiB, and it has 700 MiB."] if told else [])  # fmt: skip
    assert plan.can_apply


def test_a_host_that_does_not_answer_is_left_out(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    cortex.target.fails = out_of_reach("cortex")
    planner = in_memory.planner()
    plan = in_memory.wait(planner.look()).plan
    assert services(plan) == {SITE: "create"}
    assert "host cortex" in plan.not_measured
    assert plan.can_apply


@pytest.mark.parametrize("silent", [True, False])
def test_a_docker_that_does_not_answer_is_left_out(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker, silent: bool) -> None:  # fmt: skip
    in_memory.apply()
    docker.silent = silent
    in_memory.edit("service: keeper", "service: keeper, settings: {greeting: again}")
    plan = in_memory.plan()
    assert services(plan) == {"service:cortex/db": "update"}
    assert ("services-unseen", Severity.WARNING) in codes(plan) or not silent
    assert plan.unseen == (("service:home/box",) if silent else ())
    [told] = [each.detail for each in plan.diagnostics] or [""]
    assert ("Cannot connect to the Docker daemon" in told) is silent
    in_memory.apply()


def test_a_target_without_docker_has_no_services_yet(in_memory: Desk, docker: FakeDocker) -> None:
    docker.absent = True
    assert services(in_memory.plan()) == {DB: "create", SITE: "create"}


def test_a_machine_that_stands_still_is_not_asked(in_memory: Desk, docker: FakeDocker) -> None:
    """Incus would be patient with it, and the plan starts it anyway."""
    in_memory.apply()
    in_memory.wait(in_memory.incus.send("PUT", "/instances/home-box/state", {"action": "stop"}, project="home"))  # fmt: skip
    in_memory.targets.commands.clear()
    plan = in_memory.plan()
    assert in_memory.targets.commands == []
    assert summary(plan)["instance:home/box"] == "update"
    in_memory.apply()
    assert summary(in_memory.plan()) == NOTHING


def test_only_services_take_along_what_they_are_made_of(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    in_memory.edit("service: web,", "service: web, settings: {title: news},")
    in_memory.edit("ip: 10.100.7.10", "ip: 10.100.7.10, description: box")
    only = Selection(limits=(TARGET,), kinds=("service", "compose", "secret"))
    assert set(summary(in_memory.plan(selection=only))) == {"compose:home/box", SITE}


def test_what_runs_and_does_not_serve_is_restarted(in_memory: Desk, docker: FakeDocker) -> None:
    in_memory.apply()
    before = in_memory.containers()
    docker.breaks.add("maison")
    change = change_of(in_memory.plan(), DB)
    assert change.impact is not None
    assert (change.impact.value, change.reason) == (
        "restart",
        "unhealthy differs from infra.yml, which needs a restart",
    )
    failed = problems_of(in_memory.carry_out())
    assert [each.code for each in failed[DB]] == ["service-not-healthy"], "nothing to go back to"
    assert docker.containers["db"].status == "running", "Docker goes on trying"
    docker.breaks.clear()
    [left] = change_of(in_memory.plan(), DB).fields
    assert left.before == "healthy, secrets not taken over", "the run ended before that"
    in_memory.apply()
    assert services(in_memory.plan()) == NOTHING
    assert in_memory.containers()["db"] != before["db"]


def test_an_update_that_was_cut_short_is_taken_back_by_the_next(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    path = RUNNING
    good = in_memory.read(path)
    in_memory.edit("service: web,", "service: web, settings: {title: news},")
    in_memory.apply()
    news = Project.read("maison", in_memory.read(path).encode())
    news.previous["site"] = Project.read("maison", good.encode()).entries["site"]
    in_memory.wait(docker.target.write(path, news.text(TARGET).encode()))
    docker.breaks.add("news")  # it was started, never became healthy, and the run was killed

    codes = [each.code for each in problems_of(in_memory.carry_out())[SITE]]
    assert codes == ["service-not-healthy", "service-update-taken-back"]
    assert in_memory.read(path) == good


def test_a_host_lost_in_the_middle_says_both(in_memory: Desk, docker: FakeDocker) -> None:
    in_memory.apply()
    in_memory.edit("service: web,", "service: web, settings: {title: news},")
    docker.breaks.add("news")
    usual = docker.answer

    def lost(command: object, given: bytes) -> object:
        words = list(command)  # type: ignore[call-overload]
        if docker.containers["site"].entry["environment"]["WEB_TITLE"] == "news" and words[1:2] == ["compose"]:  # fmt: skip
            raise out_of_reach(TARGET)
        return usual(words, given)

    docker.target.answers = lost  # type: ignore[assignment]
    codes = [each.code for each in problems_of(in_memory.carry_out())[SITE]]
    assert codes == ["service-not-healthy", "host-unreachable"]


def test_rights_of_a_secret_that_were_changed_are_put_right(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    [path] = [each for each in docker.target.files if "/secrets/db/" in each]
    docker.target.files[path] = dataclasses.replace(docker.target.files[path], mode="0644")
    [field] = change_of(in_memory.plan(), DB).fields
    assert (field.path, field.before.split()[1], field.after.split()[1]) == ("secrets./run/secrets/password", "0644", "0400")  # fmt: skip
    in_memory.apply()
    assert docker.target.files[path].mode == "0400"


def test_somebody_elses_compose_file_is_left_alone(in_memory: Desk, docker: FakeDocker) -> None:
    path = in_memory.compose_file()
    path.parent.mkdir(parents=True)
    path.write_text("services: {}\n")
    plan = in_memory.wait(in_memory.planner().look()).plan
    [problem] = [each for each in plan.diagnostics if each.is_error]
    assert problem.code == "not-ours"
    assert problem.hint is not None
    assert f"mv {path} {path}.old" in problem.hint


def test_a_compose_file_changed_by_hand_is_written_anew(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    text = in_memory.compose_file().read_text()
    in_memory.compose_file().write_text(text.replace("hello", "good day"))
    assert summary(in_memory.plan()) == {"compose:home/box": "update"}
    in_memory.apply()
    assert in_memory.compose_file().read_text() == text
