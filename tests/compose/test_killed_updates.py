"""`updates apply` that is cut off after each of its commands in turn: the next run ends with one version, and with the data of that very one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from freehold.diagnostics import Diagnostic
from freehold.engine.run import run
from freehold.providers.compose import copy_scripts, look
from freehold.system.targets import Ended
from freehold.system.targets.fake import FakeTarget, out_of_reach
from freehold.system.targets.problems import too_slow
from tests.compose.docker import FakeDocker
from tests.compose.estate import TARGET, Desk, problems_of
from tests.compose.test_services import DB, RUNNING
from tests.compose.volumes import FOLDER, Volumes

ONE_SERVICE = """
    freehold: 1
    name: maison
    domains:
      home:
        subnet_id: 7
        machines: {box: {ip: 10.100.7.10}}
    services:
      db: {on: home/box, service: keeper}
    """
MOST = 26
"""More commands than an update has that is taken back: the last of the runs are not cut off at all."""
SLOW = pytest.mark.slow
THEN = ["again", *(pytest.param(each, marks=SLOW) for each in ("set back", "plainly", "mended"))]


@dataclass
class Line:
    """The connection to the target: after so many commands it breaks."""

    left: int | None = None
    used: int = 0

    async def arrive(self, target: FakeTarget) -> None:
        await asyncio.sleep(0)
        self.used += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise out_of_reach(TARGET)


@dataclass
class Updated:
    """A desk with one service of two volumes at version 1, whose next version there is."""

    desk: Desk
    docker: FakeDocker
    volumes: Volumes
    line: Line = field(default_factory=Line)

    def version(self, number: str) -> None:
        file = self.desk.folder / "catalog/keeper.yml"
        lines = file.read_text().splitlines(keepends=True)
        old = next(line for line in lines if line.startswith("version: "))
        file.write_text("".join(lines).replace(old, f'version: "{number}"\n'))
        self.docker.images.add(f"registry.example.org/keeper:{number}")

    def breaks(self, *numbers: str) -> None:
        """Versions that half convert and never serve."""
        self.volumes.broken = set(numbers)
        self.docker.breaks = {f"keeper:{number}'" for number in numbers}

    def cut_after(self, commands: int) -> bool:
        """Run `updates apply` on a line that breaks; whether it did."""
        planner = self.desk.planner()
        plan = self.desk.wait(planner.look()).plan
        assert plan.can_apply, plan.diagnostics
        self.line.left = commands
        self.desk.wait(run(planner, plan, self.desk.events.append, asyncio.Event()))
        was_cut, self.line.left = self.line.left < 0, None
        return was_cut

    def cut_until(self, so: Callable[[], bool]) -> int:
        """Runs that come a little further each time, until that is so; after how many commands."""
        for commands in range(MOST):
            assert self.cut_after(commands)
            if so():
                return commands
        raise AssertionError(self.volumes)

    @property
    def noted(self) -> bool:
        """Whether a copy is noted as that of an update under way."""
        return "phase: taken" in self.desk.read(RUNNING)

    def run(self, *, copies: bool = True) -> Sequence[Diagnostic]:
        self.desk.copies = copies
        return problems_of(self.desk.carry_out()).get(DB, ())

    @property
    def runs(self) -> str:
        """Which version does, if one does."""
        container = self.docker.containers["db"]
        if container.status != "running":
            return "none"
        return str(container.entry["image"]).rpartition(":")[2]

    def whole(self, version: str) -> list[str]:
        """The copies that have all of the data as this version had it."""
        return [name for name, copy in self.volumes.copies.items() if len(copy) == 2 and set(copy.values()) == {version}]  # fmt: skip

    def assert_sound(self, version: str) -> None:
        assert (self.runs, set(self.volumes.data.values())) == (version, {version})
        assert len(self.volumes.data) == 2
        assert self.volumes.spoiled == []


@pytest.fixture
def updated(in_memory: Desk, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> Updated:
    file = in_memory.folder / "catalog/keeper.yml"
    one = "  lines: {path: /var/lib/keeper, description: the lines}\n"
    assert one in file.read_text()
    two = one + "  index: {path: /var/lib/index, description: where they are}\n"
    file.write_text(file.read_text().replace(one, two))
    in_memory.text = ONE_SERVICE
    made = Updated(in_memory, docker, Volumes(docker))
    docker.target.answers = made.volumes
    in_memory.apply()
    made.assert_sound("1")
    made.version("2")
    in_memory.copies = True

    async def arrive(target: FakeTarget) -> None:
        await made.line.arrive(target)

    monkeypatch.setattr(FakeTarget, "_arrive", arrive)
    return made


def test_the_runs_that_are_cut_off_here_are_all_there_are(updated: Updated) -> None:
    updated.breaks("2")
    assert not updated.cut_after(MOST)
    updated.assert_sound("1")


@pytest.mark.parametrize("commands", range(MOST))
@pytest.mark.parametrize("then", THEN)
def test_an_update_that_was_cut_off_anywhere(updated: Updated, commands: int, then: str) -> None:
    """The new version breaks the data. The next run is the same, or goes to the old version again, asks for no copy, or has a mended one."""
    updated.breaks("2")
    updated.cut_after(commands)
    goes_on(updated, then)


@pytest.mark.parametrize("then", ["again", "set back", "plainly", "mended"])
def test_a_way_back_that_was_cut_off_between_two_volumes(updated: Updated, then: str) -> None:
    updated.breaks("2")
    updated.volumes.lost_in_restore = out_of_reach(TARGET)
    updated.run()
    assert set(updated.volumes.data.values()) == {"1", "2"}
    assert updated.runs == "none"
    updated.volumes.lost_in_restore = None
    goes_on(updated, then)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(4, 22))
@pytest.mark.parametrize("second", [5, 9, 13, 17])
def test_two_that_were_cut_off(updated: Updated, first: int, second: int) -> None:
    updated.breaks("2")
    updated.cut_after(first)
    updated.cut_after(second)
    goes_on(updated, "again")


def goes_on(updated: Updated, then: str) -> None:
    """The run after the one that was cut off."""
    running = updated.desk.read(RUNNING)
    begun = any(f"phase: {each}" in running for each in ("taken", "going back", "back"))
    begun = begun and updated.runs != "1"
    if then == "set back":
        updated.version("1")
    if then == "mended":
        updated.breaks()
    problems = updated.run(copies=then != "plainly")
    if then == "mended":
        updated.assert_sound("2")
        assert updated.whole("1"), "the way back by hand"
    elif then != "plainly" or begun:
        updated.assert_sound("1")
    if then == "set back":
        assert not problems


def test_the_data_of_the_newer_version_is_kept_where_a_later_run_goes_back(updated: Updated) -> None:  # fmt: skip
    """Somebody may have worked with it meanwhile."""
    updated.breaks("2")
    updated.cut_until(lambda: updated.runs == "2")
    updated.volumes.data = dict.fromkeys(updated.volumes.data, "2")
    back = updated.run()[-1]
    updated.assert_sound("1")
    [kept] = updated.whole("2")
    assert back.code == "service-update-taken-back"
    assert f"What the newer version had is kept in {FOLDER}db/{kept} on the target." in back.detail


@pytest.mark.parametrize("broken", [True, False])
def test_a_third_version_finds_a_copy_of_what_the_second_has_done(updated: Updated, broken: bool) -> None:  # fmt: skip
    updated.breaks("2", *("3" if broken else ""))
    updated.cut_until(lambda: updated.runs == "2")
    [first] = {name for name in updated.whole("1") if updated.noted and name in updated.desk.read(RUNNING)}  # fmt: skip
    updated.volumes.data = dict.fromkeys(updated.volumes.data, "2")
    updated.version("3")
    updated.run()
    updated.assert_sound("1" if broken else "3")
    assert updated.whole("2") if broken else updated.whole("1") == [first]


def test_a_plain_apply_says_that_the_old_version_has_no_data_of_its_own(updated: Updated) -> None:
    updated.breaks("2")
    updated.cut_until(lambda: updated.runs == "2")
    updated.version("1")
    before = (dict(updated.volumes.data), updated.whole("1"))
    [problem] = updated.run(copies=False)
    assert problem.code == "update-unfinished"
    assert f"{FOLDER}db/{before[1][-1]} on the target" in problem.detail
    assert (updated.runs, before) == ("2", (updated.volumes.data, updated.whole("1")))
    assert not updated.run()
    updated.assert_sound("1")


def test_a_copy_outlives_going_back_to_its_version(updated: Updated) -> None:
    """What the older one does with the data of the newer is seen when it is too late."""
    assert not updated.run()
    updated.assert_sound("2")
    [first] = updated.whole("1")
    updated.version("1")
    updated.run()
    assert updated.whole("1") == [first]
    assert len(updated.whole("2")) == 1


def test_copies_of_versions_that_are_long_gone_go(updated: Updated) -> None:
    assert not updated.run()
    updated.version("3")
    assert not updated.run()
    updated.assert_sound("3")
    assert (updated.whole("1"), len(updated.whole("2"))) == ([], 1)


def test_runs_that_were_killed_do_not_fill_the_disk(updated: Updated) -> None:
    commands = updated.cut_until(lambda: updated.noted)
    there = len(updated.volumes.copies)
    for _ in range(3):
        updated.cut_after(commands)
        assert len(updated.volumes.copies) <= there
    assert not updated.run()
    assert len(updated.whole("1")) == 1


def test_data_without_a_container_is_copied_too(updated: Updated) -> None:
    del updated.docker.containers["db"]
    updated.breaks("2")
    back = updated.run()[-1]
    updated.assert_sound("1")
    assert "Its data is that from before the update." in back.detail


def test_a_container_of_the_same_version_that_is_gone_needs_no_copy(updated: Updated) -> None:
    updated.version("1")
    del updated.docker.containers["db"]
    assert not updated.run()
    updated.assert_sound("1")
    assert updated.volumes.copies == {}


def test_without_room_what_a_killed_run_has_stopped_is_started_again(updated: Updated) -> None:
    updated.cut_until(lambda: updated.runs == "none")
    updated.volumes.answers["room"] = Ended(3, "9 MiB to copy, and 1 MiB are free\n", "")
    [problem] = updated.run()
    assert problem.code == "data-not-copied"
    updated.assert_sound("1")


def test_without_room_after_a_way_back_that_was_cut_off_the_old_version_serves(updated: Updated) -> None:  # fmt: skip
    updated.breaks("2")
    updated.volumes.lost_in_restore = out_of_reach(TARGET)
    updated.run()
    updated.volumes.lost_in_restore = None
    updated.volumes.answers["room"] = Ended(3, "9 MiB to copy, and 1 MiB are free\n", "")
    [problem] = updated.run()
    assert problem.code == "data-not-copied"
    updated.assert_sound("1")


def test_a_service_that_cannot_be_started_again_is_said_to_stand_still(updated: Updated) -> None:
    updated.volumes.answers["copy"] = Ended(1, "", "cp: No space left on device")
    usual = updated.volumes.__call__

    def no_start(command: Sequence[str], given: bytes) -> Ended | None:
        if list(command[:2]) == ["docker", "start"]:
            return Ended(1, "", "Error response: no space left on device")
        return usual(command, given)

    updated.docker.target.answers = no_start
    problems = updated.run()
    assert [each.code for each in problems] == ["data-not-copied", "service-left-stopped"]
    assert "no space left on device. Its data is as it was." in problems[1].detail
    assert "docker start maison-db-1" in str(problems[1].hint)


def test_one_whose_place_somebody_takes_while_it_is_copied_goes_on(updated: Updated) -> None:
    usual = updated.volumes.__call__

    def taken(command: Sequence[str], given: bytes) -> Ended | None:
        if command[2] == copy_scripts.COPY:
            theirs = {look.PROJECT: "maison", look.SERVICE: "db"}
            updated.docker.strangers["maison-db-2"] = theirs
        return usual(command, given)

    updated.docker.target.answers = taken
    [problem] = updated.run()
    assert "maison-db-2" in problem.detail
    updated.assert_sound("1")


def test_a_copy_that_takes_too_long_leaves_the_service_running(updated: Updated) -> None:
    usual = updated.volumes.__call__

    def slow(command: Sequence[str], given: bytes) -> Ended | None:
        if command[2] == copy_scripts.COPY:
            raise too_slow(TARGET, "sh", 14400.0)
        return usual(command, given)

    updated.docker.target.answers = slow
    assert [each.code for each in updated.run()] == ["target-timeout"]
    updated.assert_sound("1")
