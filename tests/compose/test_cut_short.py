"""Runs that are killed or asked to stop, and what fails half-way: what worked before works again, with its data and for whom it serves."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from freehold.engine.run import run
from freehold.providers.compose import copy_scripts, watching
from freehold.system.targets import Ended
from freehold.system.targets.fake import out_of_reach
from tests.compose.docker import FakeDocker
from tests.compose.estate import TARGET, Desk, problems_of
from tests.compose.test_services import DB, RUNNING, SITE
from tests.compose.test_shared_network import LOADER, WAY
from tests.compose.test_shared_network import TEXT as SHARED
from tests.provider.estate import change_of, summary

Answer = Callable[[Sequence[str], bytes], Ended | None]


def title(docker: FakeDocker) -> str:
    return str(docker.containers["site"].entry["environment"]["WEB_TITLE"])


def lost_before(docker: FakeDocker) -> Answer:
    """The connection breaks when Compose is to start something: the target's file has the new entry already."""

    def answer(command: Sequence[str], given: bytes) -> Ended | None:
        if list(command[:2]) == ["docker", "compose"]:
            raise out_of_reach(TARGET)
        return docker.answer(command, given)

    return answer


def copying(docker: FakeDocker, ends: Callable[[str], Ended]) -> Answer:
    """With an answer of one's own to the scripts that deal with the data."""
    names = {copy_scripts.ROOM: "room", copy_scripts.COPY: "copy", copy_scripts.RESTORE: "restore", copy_scripts.THIN: "thin"}  # fmt: skip

    def answer(command: Sequence[str], given: bytes) -> Ended | None:
        name = names.get(command[2]) if len(command) > 2 else None
        return ends(name) if name else docker.answer(command, given)

    return answer


def next_version(desk: Desk, docker: FakeDocker, name: str = "keeper") -> None:
    file = desk.folder / f"catalog/{name}.yml"
    file.write_text(file.read_text().replace('version: "1"', 'version: "2"'))
    docker.images.add(f"registry.example.org/{name}:2")
    desk.copies = True


@pytest.mark.parametrize("then", ["news", "other"])
def test_one_killed_before_its_start_goes_back_to_what_runs(in_memory: Desk, docker: FakeDocker, then: str) -> None:  # fmt: skip
    in_memory.apply()
    before = title(docker)
    in_memory.edit("service: web,", "service: web, settings: {title: news},")
    docker.target.answers = lost_before(docker)
    assert problems_of(in_memory.carry_out()).keys() == {SITE}
    docker.target.answers = docker.answer
    assert title(docker) == before
    in_memory.edit("title: news", f"title: {then}")
    docker.breaks.add(then)
    codes = [each.code for each in problems_of(in_memory.carry_out())[SITE]]
    assert codes == ["service-not-healthy", "service-update-taken-back"]
    assert title(docker) == before


def test_files_put_right_are_those_of_its_container_though_another_cannot_be_started(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.text = in_memory.text.replace("    services:", "    services:\n      aa: {on: home/box, service: keeper}")  # fmt: skip
    in_memory.edit("service: web,", "service: web, needs: {keeper: db},")
    in_memory.apply()
    before = in_memory.containers()
    [path] = [each for each in docker.target.files if "/files/site/" in each and each.endswith("/web.py")]  # fmt: skip
    in_memory.wait(docker.target.write(path, b"by hand"))
    in_memory.edit("aa: {on: home/box, service: keeper", "aa: {on: home/box, service: keeper, settings: {greeting: aye}")  # fmt: skip
    docker.refused.add("aa")
    assert problems_of(in_memory.carry_out()).keys() == {"service:home/box/aa"}
    assert in_memory.containers()["site"] != before["site"], "it had the file as it was by hand"


def test_a_copy_that_fails_leaves_the_service_and_its_guests_as_they_were(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    before = in_memory.containers()
    next_version(in_memory, docker)
    fails = {"room": Ended(0, "1 MiB to copy\n", ""), "copy": Ended(1, "", "cp: I/O error")}
    docker.target.answers = copying(docker, fails.__getitem__)
    (problem,) = problems_of(in_memory.carry_out())[DB]
    assert problem.code == "data-not-copied"
    assert in_memory.containers() == before


def test_a_copy_that_fails_starts_nothing_that_a_killed_run_had_in_mind(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    next_version(in_memory, docker)
    fine = Ended(0, "1 MiB to copy\n", "")
    killed = copying(docker, lambda name: fine)
    lost = lost_before(docker)
    docker.target.answers = lambda command, given: killed(command, given) if len(command) > 2 and command[2] in (copy_scripts.ROOM, copy_scripts.COPY) else lost(command, given)  # fmt: skip
    assert DB in problems_of(in_memory.carry_out())
    assert "keeper:2" in in_memory.read(RUNNING)
    fails = {"room": fine, "copy": Ended(1, "", "cp: I/O error")}
    docker.containers["db"].status = "running"
    docker.target.answers = copying(docker, fails.__getitem__)
    problems_of(in_memory.carry_out())
    assert docker.containers["db"].entry["image"].endswith("keeper:1")
    assert docker.containers["db"].status == "running"


def test_a_run_that_is_asked_to_stop_while_it_copies_leaves_the_service_running(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    next_version(in_memory, docker)
    stop = asyncio.Event()

    def interrupted(name: str) -> Ended:
        stop.set()
        return Ended(0, "1 MiB to copy\n", "")

    docker.target.answers = copying(docker, interrupted)
    planner = in_memory.planner()
    plan = in_memory.wait(planner.look()).plan
    in_memory.wait(run(planner, plan, in_memory.events.append, stop))
    assert docker.containers["db"].status == "running"


def test_data_that_came_back_for_nothing_that_ran_before_is_said(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    next_version(in_memory, docker)
    in_memory.wait(docker.target.write(RUNNING, b"no: {yaml"))
    docker.breaks.add("keeper:2")
    docker.target.answers = copying(docker, lambda name: Ended(0, "1 MiB to copy\n", ""))
    codes = [each.code for each in problems_of(in_memory.carry_out())[DB]]
    assert codes == ["service-not-healthy", "service-left-stopped"]


def test_who_has_the_network_of_what_was_taken_back_joins_it_again(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.text = SHARED
    in_memory.apply()
    in_memory.edit("way: {on: home/box}", "way: {on: home/box, settings: {exit: south}}")
    docker.breaks.add("south")
    failed = problems_of(in_memory.carry_out())
    assert [each.code for each in failed[WAY]] == ["service-not-healthy", "service-update-taken-back"]  # fmt: skip
    assert docker.containers["loader"].network == f"container:{docker.containers['way'].number}"
    docker.breaks.clear()
    in_memory.edit(", settings: {exit: south}", "")
    assert LOADER not in summary(in_memory.plan())


def test_one_that_served_when_the_connection_was_lost_is_settled_by_the_next(in_memory: Desk, docker: FakeDocker) -> None:  # fmt: skip
    in_memory.apply()
    in_memory.edit("service: web,", "service: web, settings: {title: news},")

    def lost(command: Sequence[str], given: bytes) -> Ended | None:
        if list(command[2:3]) == [watching.WATCH]:
            raise out_of_reach(TARGET)
        return docker.answer(command, given)

    docker.target.answers = lost
    assert problems_of(in_memory.carry_out()).keys() == {SITE}
    docker.target.answers = docker.answer
    assert "x-freehold-previous" in in_memory.read(RUNNING)
    before = in_memory.containers()
    change = change_of(in_memory.plan(), SITE)
    assert [(each.path, each.after, each.impact) for each in change.fields] == [("kept", None, "live")]  # fmt: skip
    in_memory.apply()
    assert in_memory.containers() == before, "nothing restarts for it"
    assert "x-freehold-previous" not in in_memory.read(RUNNING)
    assert summary(in_memory.plan()) == {}
