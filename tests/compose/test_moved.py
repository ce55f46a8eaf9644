"""Services that are moved, renamed or left behind with their host: the plan says whose data stays where, and who holds a port."""

import pytest

from freehold.diagnostics import Diagnostic
from freehold.planning.plan import Plan
from freehold.system.targets import Ended
from freehold.system.targets.fake import FakeTargets, out_of_reach
from tests.compose.docker import FakeDocker
from tests.compose.estate import Desk, problems_of
from tests.compose.real import IMAGES
from tests.compose.test_services import NOTHING, services
from tests.provider.estate import change_of, summary

ON_HOSTS = """
    freehold: 1
    name: maison
    hosts: {cortex: {address: 203.0.113.20}, synapse: {address: 203.0.113.21}}
    services:
      db: {on: cortex, service: keeper, from: {keep: [all]}}
      site: {on: synapse, service: web, ports: {http: 80}}
    """
SITE = "      site: {on: synapse, service: web, ports: {http: 80}}\n"


@pytest.fixture
def hosts(in_memory: Desk) -> dict[str, FakeDocker]:
    """The Docker of each host; the desk has its estate on them, and it runs."""
    targets = in_memory.targets.inner
    assert isinstance(targets, FakeTargets)
    dockers = {}
    for name in ("cortex", "synapse"):
        target = targets.fake(name)
        dockers[name] = FakeDocker(target, images=set(IMAGES))
        target.answers = dockers[name].answer
    in_memory.text = ON_HOSTS
    in_memory.apply()
    return dockers


def said(plan: Plan, code: str) -> list[Diagnostic]:
    return [each for each in plan.diagnostics if each.code == code]


def test_one_that_is_moved_says_that_its_data_stays(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    in_memory.edit("db: {on: cortex", "db: {on: synapse")
    plan = in_memory.plan()
    [warning] = said(plan, "data-left-behind")
    assert not warning.is_error
    assert warning.detail == (
        "service:synapse/db starts without data. The data of service:cortex/db (maison_db-lines) stays where it is. Nothing is copied."
    )
    assert "Move or rename a service" in (warning.hint or "")
    in_memory.apply()
    assert said(in_memory.plan(), "data-left-behind") == [], "once, when it is made"
    in_memory.apply(prune=True)
    in_memory.edit("db: {on: synapse", "db: {on: cortex")
    [back] = said(in_memory.plan(), "data-left-behind")
    assert back.detail.startswith(
        "service:cortex/db goes on with maison_db-lines, which is there from before. The data of service:synapse/db (maison_db-lines)"
    )


def test_one_that_is_renamed_says_the_same(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:
    in_memory.edit("db: {on: cortex", "base: {on: cortex")
    planner = in_memory.planner(prune=True)
    [warning] = said(in_memory.wait(planner.look()).plan, "data-left-behind")
    assert "service:cortex/base starts without data" in warning.detail
    assert "service:cortex/db (maison_db-lines)" in warning.detail


def test_one_that_comes_back_says_that_it_goes_on_with_its_data(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    before = in_memory.text
    in_memory.edit(SITE, "")
    in_memory.edit("      db: {on: cortex, service: keeper, from: {keep: [all]}}\n", "")
    in_memory.edit("    services:\n", "")
    in_memory.apply(prune=True)
    in_memory.text = before
    [warning] = said(in_memory.plan(), "data-there-already")
    assert "service:cortex/db goes on with maison_db-lines" in warning.detail


def test_one_that_is_moved_from_a_host_that_does_not_answer(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    hosts["cortex"].target.fails = out_of_reach("cortex")
    in_memory.edit("db: {on: cortex", "db: {on: synapse")
    [warning] = said(in_memory.plan(), "data-left-behind")
    assert "The data that db had on cortex, where nobody could look now, stays" in warning.detail


def test_what_has_no_data_is_moved_without_a_word(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    in_memory.edit("site: {on: synapse", "site: {on: cortex")
    assert in_memory.plan().diagnostics == ()


def test_a_host_that_leaves_is_named_with_its_services_until_somebody_says_that_it_is_done(
    in_memory: Desk, hosts: dict[str, FakeDocker]
) -> None:
    in_memory.edit(", synapse: {address: 203.0.113.21}", "")
    in_memory.edit(SITE, "")
    plan = in_memory.plan()
    [warning] = said(plan, "host-gone")
    assert warning.detail.startswith("synapse: site ran there when Freehold looked last.")
    in_memory.apply(prune=True)
    file = in_memory.folder / "compose/synapse/compose.yml"
    assert file.exists(), "the only trace of them"
    assert said(in_memory.plan(prune=True), "host-gone")
    assert "rm -r compose/synapse" in (warning.hint or "")
    file.unlink()
    file.parent.rmdir()
    assert in_memory.plan().diagnostics == ()
    assert set(hosts["synapse"].containers) == {"site"}, "nothing was done there"


def test_a_port_that_an_orphan_has_is_said_and_comes_with_its_end(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    in_memory.edit("site: {on: synapse", "page: {on: synapse")
    [problem] = in_memory.wait(in_memory.planner().look()).plan.diagnostics
    assert problem.code == "claimed"
    assert (
        "service:synapse/page is to have port 80/tcp of synapse, which service:synapse/site holds"
        in problem.detail
    )
    plan = in_memory.plan(prune=True)
    old, new = "service:synapse/site", change_of(plan, "service:synapse/page")
    assert [str(each) for each in new.claims_from] == [old]
    in_memory.apply(prune=True)
    assert set(hosts["synapse"].containers) == {"page"}


def test_an_orphan_that_stands_still_has_no_port(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    hosts["synapse"].containers["site"].status = "exited"
    in_memory.edit("site: {on: synapse", "page: {on: synapse")
    in_memory.apply()


def test_two_that_swap_their_ports_do_not_wait_for_each_other(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    in_memory.edit(SITE, SITE + SITE.replace("site", "page").replace("80", "81"))
    in_memory.apply()
    in_memory.text = in_memory.text.replace("http: 80", "http: x").replace("http: 81", "http: 80").replace("http: x", "http: 81")  # fmt: skip
    in_memory.apply()
    assert summary(in_memory.plan()) == NOTHING


def test_a_removal_that_was_cut_short_is_done_by_the_next(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    docker = hosts["synapse"]
    in_memory.edit(SITE, "")
    usual = docker.answer

    def lost(command: object, given: bytes) -> Ended | None:
        words = list(command)  # type: ignore[call-overload]
        if words[:2] == ["rm", "-rf"]:
            raise out_of_reach("synapse")
        return usual(words, given)

    docker.target.answers = lost
    assert problems_of(in_memory.carry_out(prune=True)).keys() == {"service:synapse/site"}
    docker.target.answers = usual
    in_memory.apply(prune=True)
    assert not [path for path in docker.target.files if "/site/" in path]
    assert docker.containers == {}
    assert in_memory.plan().orphans == ()


def test_what_is_left_of_one_that_somebody_deleted_is_an_orphan(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    docker = hosts["cortex"]
    in_memory.edit("db: {on: cortex", "db: {on: synapse")
    in_memory.apply()
    del docker.containers["db"]
    assert [path for path in docker.target.files if "/secrets/db/" in path]
    orphans = {str(each.address): each.stays for each in in_memory.plan().orphans}
    assert orphans["service:cortex/db"] == ("maison_db-lines",)
    in_memory.apply(prune=True)
    assert not [path for path in docker.target.files if "/db/" in path]
    assert in_memory.plan().orphans == ()


def test_what_is_wanted_and_has_no_container_is_no_orphan(in_memory: Desk, hosts: dict[str, FakeDocker]) -> None:  # fmt: skip
    del hosts["cortex"].containers["db"]
    plan = in_memory.plan(prune=True)
    assert services(plan) == {"service:cortex/db": "create"}
