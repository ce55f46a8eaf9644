"""Updates with a copy of the data: a version that ruins it is gone back from with the data, also by the next run, and one without room is not begun."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from freehold.cli.updates import _KINDS
from freehold.operations.updates import updates
from freehold.planning.selection import Selection
from freehold.providers.compose import copy_scripts, problems
from freehold.providers.compose.copies import not_copied
from freehold.system.targets import Ended
from freehold.system.targets.fake import out_of_reach
from tests.compose.docker import FakeDocker
from tests.compose.estate import TARGET, Desk, _Counted, problems_of
from tests.compose.test_services import DB, RUNNING
from tests.compose.test_targets import cortex as cortex
from tests.provider.estate import change_of, summary

LINES = "/var/lib/keeper/lines"
COPIES = "/var/lib/freehold/maison/copies/db"
CONVERTS = """      if not kept.exists():
          kept.write_text(digest(password))
      import shutil
      shutil.rmtree("/var/lib/keeper/old", ignore_errors=True)
      os.rename("/var/lib/keeper/lines", "/var/lib/keeper/converted")
"""
KEPT = """      if not kept.exists():
          kept.write_text(digest(password))
"""


def next_version(desk: Desk, *, ruins: bool) -> None:
    """The catalog has version 2, with an image of its own: what it does first to the data cannot be undone by the old one."""
    file = desk.folder / "catalog/keeper.yml"
    text = file.read_text().replace('version: "1"', 'version: "2"')
    assert KEPT in text
    converts = CONVERTS + ("      sys.exit(3)\n" if ruins else "")
    file.write_text(text.replace(KEPT, converts))
    desk.by_hand("docker", "tag", "registry.example.org/keeper:1", "registry.example.org/keeper:2")
    desk.copies = True


def inside(desk: Desk, *command: str) -> str:
    return desk.by_hand("docker", "exec", "maison-db-1", *command)


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.parametrize("desk", ["real"], indirect=True)
def test_a_version_that_ruins_the_data_is_gone_back_from_with_the_data(desk: Desk) -> None:
    desk.apply()
    inside(desk, "sh", "-c", f"echo precious >{LINES}")
    next_version(desk, ruins=True)
    problems = problems_of(desk.carry_out())
    back = next(each for each in problems[DB] if each.code == "service-update-taken-back")
    assert "healthy" in back.detail
    assert "Its data is that from before the update." in back.detail
    assert inside(desk, "cat", LINES) == "precious\n"
    assert inside(desk, "ls", "/var/lib/keeper").split() == ["lines", "password"]
    assert desk.by_hand("docker", "inspect", "-f", "{{.Config.Image}}", "maison-db-1").strip() == "registry.example.org/keeper:1"  # fmt: skip


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.parametrize("desk", ["real"], indirect=True)
def test_a_version_that_serves_stays_and_the_copy_with_it(desk: Desk) -> None:
    desk.apply()
    inside(desk, "sh", "-c", f"echo precious >{LINES}")
    next_version(desk, ruins=False)
    infra = desk.planner().infra
    found = {each.name: each for each in updates(infra, desk.wait(desk.planner().look()).observed)}
    assert (found["db"].running, found["db"].wanted, found["db"].is_behind) == ("1", "2", True)
    assert not found["site"].is_behind
    desk.apply()
    assert inside(desk, "cat", "/var/lib/keeper/converted") == "precious\n"
    assert (
        desk.by_hand("sh", "-c", f"cat {COPIES}/keeper-1@*/maison_db-lines/lines") == "precious\n"
    )
    assert desk.by_hand("stat", "-c", "%a", COPIES).strip() == "700"
    assert summary(desk.plan()) == {}


@pytest.mark.lab
@pytest.mark.slow
@pytest.mark.parametrize("desk", ["real"], indirect=True)
@pytest.mark.parametrize("script", [copy_scripts.COPY, copy_scripts.RESTORE])
def test_one_that_was_cut_off_is_gone_on_with(desk: Desk, script: str, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    desk.apply()
    inside(desk, "sh", "-c", f"echo precious >{LINES}")
    next_version(desk, ruins=True)
    with monkeypatch.context() as line:
        cut_off_after(line, script)
        assert "host-unreachable" in [each.code for each in problems_of(desk.carry_out())[DB]]
    assert desk.containers()["db"][1] == "exited"
    back = next(each for each in problems_of(desk.carry_out())[DB] if each.code == "service-update-taken-back")  # fmt: skip
    assert "Its data is that from before the update." in back.detail
    assert inside(desk, "cat", LINES) == "precious\n"
    assert inside(desk, "ls", "/var/lib/keeper").split() == ["lines", "password"]
    assert desk.by_hand("docker", "inspect", "-f", "{{.Config.Image}}", "maison-db-1").strip() == "registry.example.org/keeper:1"  # fmt: skip
    assert "x-freehold-copies" not in desk.read(RUNNING)


def cut_off_after(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The connection breaks when this script has done its work, and stays so."""
    broken = False

    def unless_broken(method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(self: _Counted, *words: Any, **options: Any) -> Any:
            nonlocal broken
            if broken:
                raise out_of_reach(TARGET)
            said = await method(self, *words, **options)
            broken = method is run and script in words[0]
            if broken:
                raise out_of_reach(TARGET)
            return said

        return call

    run = _Counted.run
    for name in ("run", "read", "write"):
        monkeypatch.setattr(_Counted, name, unless_broken(getattr(_Counted, name)))


def test_a_host_has_rules_for_a_port_before_a_service_opens_it(in_memory: Desk, docker: FakeDocker, cortex: FakeDocker) -> None:  # fmt: skip
    in_memory.edit(", from: {keep: [all]}", "")
    in_memory.edit("      site: {on: home/box, service: web, ports: {http: 80}}\n", "")
    in_memory.apply()
    assert "ports" not in cortex.containers["db"].entry
    in_memory.edit("db: {on: cortex", "db: {on: cortex, from: {keep: [203.0.113.9]}")
    plan = in_memory.plan(selection=Selection(kinds=_KINDS))
    db = change_of(plan, "service:cortex/db")
    assert "provision:cortex" in summary(plan)
    assert "provision:cortex" in map(str, db.waits_for)
    without = Selection(kinds=("secret", "compose", "service"))
    refused = in_memory.wait(in_memory.planner(selection=without).look()).plan
    assert [each.code for each in refused.diagnostics] == ["left-out"]
    assert "provision:cortex must be made first." in refused.diagnostics[0].detail


def test_what_is_in_no_copy_is_named(in_memory: Desk) -> None:
    file = in_memory.folder / "catalog/web.yml"
    mounts = (
        "  mounts: {/films: {source: /srv/films, read_only: false}, /music: {source: /srv/music}}\n"
    )
    file.write_text(file.read_text().replace("  stop: 1s\n", f"  stop: 1s\n{mounts}"))
    infra = in_memory.planner().infra
    site, db = infra.service("site"), infra.service("db")
    assert site is not None
    assert db is not None
    assert list(not_copied(infra, site)) == ["the folder that it sees as /films", "the service db"]
    assert list(not_copied(infra, db)) == []
    told = problems.data_after(came_back=True, elsewhere=not_copied(infra, site))
    assert told.endswith("What it keeps elsewhere was left as it is: the folder that it sees as /films, the service db.")  # fmt: skip


def test_without_room_for_a_copy_nothing_is_begun(in_memory: Desk, docker: FakeDocker) -> None:
    in_memory.apply()
    before = in_memory.containers()
    file = in_memory.folder / "catalog/keeper.yml"
    file.write_text(file.read_text().replace('version: "1"', 'version: "2"'))
    docker.images.add("registry.example.org/keeper:2")
    in_memory.copies = True
    docker.target.answers = without_room(docker.answer)
    (problem,) = problems_of(in_memory.carry_out())[DB]
    assert problem.code == "data-not-copied"
    assert "db: 900 MiB to copy, and 100 MiB are free." in problem.detail
    assert in_memory.containers()["db"] == before["db"]
    assert DB in summary(in_memory.plan())


def without_room(
    answer: Callable[[Sequence[str], bytes], Ended | None],
) -> Callable[[Sequence[str], bytes], Ended | None]:
    def full(command: Sequence[str], given: bytes) -> Ended | None:
        if len(command) > 2 and "du -sk" in command[2]:
            return Ended(3, "900 MiB to copy, and 100 MiB are free\n", "")
        return answer(command, given)

    return full
