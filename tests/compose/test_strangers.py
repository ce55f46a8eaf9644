"""What is somebody else's on a target and has a name that the estate would take: nothing is done about that service, and all of it stays."""

import asyncio
import json

import pytest

from freehold.diagnostics import Diagnostic
from freehold.engine.run import run
from freehold.planning.plan import Plan
from freehold.planning.selection import Selection
from tests.compose.docker import FakeDocker
from tests.compose.estate import TARGET, Desk, problems_of
from tests.compose.test_services import DB, NOTHING, RUNNING, SITE, is_real, services
from tests.provider.estate import change_of, summary

THEIRS = "/root/maison"
IMAGE = "registry.example.org/web:1"


@pytest.fixture
def box(desk: Desk) -> Desk:
    """The machine runs, and nothing of the estate in it yet."""
    whole = desk.text
    desk.text = whole.partition("    services:")[0]
    desk.apply()
    desk.text = whole
    return desk


def theirs(desk: Desk, service: str) -> str:
    """A project in a folder of the estate's name is up, with this service; its container's number."""
    what = {"image": IMAGE, "command": ["sleep", "600"], "stop_grace_period": "1s"}
    text = json.dumps({"services": {service: what}})
    desk.wait(desk.targets.inner.target(TARGET).write(f"{THEIRS}/compose.yml", text.encode()))
    desk.by_hand("docker", "compose", "--project-directory", THEIRS, "up", "--detach")
    return number(desk, f"maison-{service}-1")


def number(desk: Desk, container: str) -> str:
    return desk.by_hand("docker", "inspect", "--format", "{{.Id}}", container).strip()


def refused(plan: Plan) -> Diagnostic:
    [problem] = [each for each in plan.diagnostics if each.is_error]
    assert problem.code == "not-ours"
    return problem


def look(desk: Desk) -> Plan:
    """The plan, though it cannot be applied."""
    return desk.wait(desk.planner().look()).plan


def test_a_container_of_another_project_of_this_name_is_left_alone(box: Desk) -> None:
    before = theirs(box, "site")
    problem = refused(look(box))
    assert problem.detail == (
        f"{SITE} would take the place of the container maison-site-1 ({THEIRS}), so it is left alone."
    )
    assert "docker rm --force maison-site-1" in (problem.hint or "")
    assert services(look(box)).keys() == {"service:home/box/db"}
    assert number(box, "maison-site-1") == before


def test_one_that_came_after_the_plan_was_made_is_left_alone_too(box: Desk) -> None:
    planner = box.planner()
    plan = box.wait(planner.look()).plan
    before = theirs(box, "site")
    result = box.wait(run(planner, plan, box.events.append, asyncio.Event()))
    [problem] = problems_of(result)[SITE]
    assert (problem.code, "the container maison-site-1," in problem.detail) == ("not-ours", True)
    assert number(box, "maison-site-1") == before


def test_a_volume_that_came_after_the_plan_was_made_is_not_written_into(box: Desk) -> None:
    planner = box.planner()
    plan = box.wait(planner.look()).plan
    box.by_hand("docker", "volume", "create", "maison_db-lines")
    result = box.wait(run(planner, plan, box.events.append, asyncio.Event()))
    [problem] = problems_of(result)[DB]
    assert (problem.code, "the volume maison_db-lines," in problem.detail) == ("not-ours", True)
    assert box.containers() == {}


def test_what_runs_beside_in_such_a_project_keeps_nothing_from_being_done(box: Desk) -> None:
    before = theirs(box, "shop")
    [warning] = box.plan().diagnostics
    assert (warning.code, warning.is_error) == ("project-shared", False)
    assert f"home/box: maison-shop-1 ({THEIRS})." in warning.detail
    box.apply()
    assert summary(box.plan()) == NOTHING
    assert number(box, "maison-shop-1") == before


def test_a_container_that_has_the_name_is_left_alone(box: Desk) -> None:
    box.by_hand("docker", "run", "--detach", "--name", "maison-site-1", IMAGE, "sleep", "600")
    before = number(box, "maison-site-1")
    assert "the container maison-site-1," in refused(look(box)).detail
    assert number(box, "maison-site-1") == before


def test_a_volume_that_somebody_else_made_is_not_written_into(box: Desk) -> None:
    box.by_hand("docker", "volume", "create", "maison_db-lines")
    problem = refused(look(box))
    assert "the volume maison_db-lines," in problem.detail
    assert "docs/how-to/services.md" in (problem.hint or "")
    assert services(look(box)).keys() == {SITE}


def test_a_volume_with_the_mark_of_the_estate_is_the_service_s_own(box: Desk) -> None:
    marks = ("--label", "freehold.estate=maison", "--label", "freehold.service=db")
    box.by_hand("docker", "volume", "create", *marks, "maison_db-lines")
    box.apply()
    assert summary(box.plan()) == NOTHING
    assert box.volumes() == ["maison_db-lines"]


def test_a_network_that_somebody_else_made_is_neither_joined_nor_deleted(desk: Desk) -> None:
    desk.apply()
    desk.by_hand("docker", "network", "create", "maison_way")
    desk.edit("    services:", "    services:\n      way: {on: home/box}")
    assert "the network maison_way," in refused(look(desk)).detail
    assert "maison_way" in networks(desk)


def test_a_network_of_somebody_else_s_stays_when_the_service_goes(desk: Desk) -> None:
    desk.apply()
    desk.by_hand("docker", "rm", "--force", "maison-site-1")
    desk.by_hand("docker", "network", "rm", "maison_front")
    desk.by_hand("docker", "network", "create", "maison_front")
    desk.edit("\n      site: {on: home/box, service: web, ports: {http: 80}}", "")
    desk.apply(prune=True)
    assert desk.plan().orphans == ()
    assert "site" not in desk.read(RUNNING), "it went"
    assert "maison_front" in networks(desk)


def test_it_matters_only_where_the_selection_has_it(box: Desk) -> None:
    theirs(box, "site")
    assert box.plan(selection=Selection(kinds=("instance",))).can_apply


def test_what_is_in_use_by_the_estate_itself_is_its_own(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    """A volume that somebody brought back by hand, before volumes were looked at."""
    in_memory.apply()
    docker.unmarked.add("maison_db-lines")
    assert summary(in_memory.plan()) == NOTHING


def test_all_of_the_estate_goes_though_somebody_else_has_a_name_of_it(desk: Desk) -> None:
    if is_real(desk):
        pytest.skip("the machine goes too, which other tests need")
    desk.apply()
    theirs(desk, "site")
    desk.apply(destroy=True)
    assert desk.containers() == {}
    assert number(desk, "maison-site-1")


def test_what_compose_runs_beside_a_service_for_a_moment_is_not_the_service(desk: Desk) -> None:
    desk.apply()
    beside = ("run", "--detach", "--no-deps", "site", "sleep", "600")
    desk.by_hand("docker", "compose", "--project-name", "maison", "--file", RUNNING, *beside)
    assert summary(desk.plan()) == NOTHING
    desk.by_hand("docker", "kill", "maison-site-1")
    assert [each.path for each in change_of(desk.plan(), SITE).fields] == ["state"]


def networks(desk: Desk) -> list[str]:
    return desk.by_hand("docker", "network", "ls", "--format", "{{.Name}}").split()
