"""Updates with a copy of the data: a version that ruins it is gone back from with the data, and one without room is not begun."""

from collections.abc import Callable, Sequence

import pytest

from freehold.operations.updates import updates
from freehold.system.targets import Ended
from tests.compose.docker import FakeDocker
from tests.compose.estate import Desk, problems_of
from tests.compose.test_services import DB
from tests.provider.estate import summary

LINES = "/var/lib/keeper/lines"
LAST = "/var/lib/freehold/maison/copies/db/last"
CONVERTS = """      if not kept.exists():
          kept.write_text(digest(password))
      import shutil
      shutil.rmtree("/var/lib/keeper/old", ignore_errors=True)
      os.rename("/var/lib/keeper/lines", "/var/lib/keeper/converted")
"""
KEPT = """      if not kept.exists():
          kept.write_text(digest(password))
"""

pytestmark = pytest.mark.lab


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
    assert desk.by_hand("cat", f"{LAST}/maison_db-lines/lines") == "precious\n"
    assert desk.by_hand("stat", "-c", "%a", "/var/lib/freehold/maison/copies/db").strip() == "700"
    assert summary(desk.plan()) == {}


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
