"""The scripts that copy volumes and bring them back, run here by a shell, with a `docker` that knows folders as volumes."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from freehold.providers.compose.copies import name_of
from freehold.providers.compose.copy_scripts import COPY, FULL, NOTHING, RESTORE, ROOM, THIN

DOCKER = """#!/bin/sh
case "$1 $2" in
    "volume ls") [ ! -e "$PLACE/silent" ] || exit 1; ls "$PLACE/volumes" ;;
    "volume inspect") for name; do :; done; echo "$PLACE/volumes/$name/_data" ;;
    "ps --filter") cat "$PLACE/used" ;;
esac
"""
LINES, INDEX = "maison_db-lines", "maison_db-index"
VOLUMES = (LINES, INDEX, "maison_db-none-yet")
OLD, NEWER = "keeper-1@20261122T093000Z", "keeper-2@20261122T094500Z"
PATIENCE = 60.0
KILLED_AT = """#!/bin/sh
case "$*" in *{what}*) {first} kill -9 $PPID; exit 1 ;; esac
exec /bin/{program} "$@"
"""
Ended = subprocess.CompletedProcess[str]


class Place:
    """A target's Docker and the folder of its copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies = folder / "copies/db"
        self.data, self.index = (folder / f"volumes/{name}/_data" for name in (LINES, INDEX))
        for each in (self.data, self.index):
            each.mkdir(parents=True)
            (each / "lines").write_text("precious")
        (folder / "used").write_text("")
        (folder / "bin").mkdir()
        self.program("docker", DOCKER)

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def killed_at(self, program: str, what: str, first: str = "") -> None:
        """The script is killed where it calls this program with such words, after what it does `first`."""
        self.program(program, KILLED_AT.format(program=program, what=what, first=first))

    def usual(self, program: str) -> None:
        (self.folder / "bin" / program).unlink()

    def begin(self, script: str, *words: str) -> subprocess.Popen[str]:
        path = f"{self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.Popen(
            ["sh", "-c", script, "copies", str(self.copies), *words],
            env={"PATH": path, "PLACE": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, *words: str) -> Ended:
        process = self.begin(script, *words)
        out, err = process.communicate(timeout=PATIENCE)
        return Ended(process.args, process.returncode, out, err)

    def room(self, stale: str = "") -> Ended:
        return self.run(ROOM, stale, *VOLUMES)

    def copy(self, name: str = OLD) -> Ended:
        return self.run(COPY, name, *VOLUMES)

    def restore(self, name: str = OLD, aside: str = "") -> Ended:
        return self.run(RESTORE, name, aside, *VOLUMES)

    def copied(self) -> None:
        for ended in (self.room(), self.copy()):
            assert ended.returncode == 0, ended.stderr

    def converted(self) -> None:
        for each in (self.data, self.index):
            (each / "lines").unlink()
            (each / "lines2").write_text("converted")

    def has(self, what: str = "precious") -> bool:
        """Whether both volumes have that, and nothing beside."""
        return all([each.read_text() for each in data.iterdir()] == [what] and [each.name for each in data.parent.iterdir()] == ["_data"] for data in (self.data, self.index))  # fmt: skip

    @property
    def kept(self) -> list[str]:
        return sorted(each.name for each in self.copies.iterdir() if each.name != ".lock")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_copy_is_called_by_its_version_and_moment() -> None:
    named = {image: name_of(image).partition("@") for image in ("docker.io/library/postgres:17.7@sha256:0a", "reg.example.org:5000/app@sha256:0a", "app:1.2", "")}  # fmt: skip
    assert [version for version, _, _ in named.values()] == ["postgres-17.7", "app-sha256-0a", "app-1.2", "unknown"]  # fmt: skip
    assert {len(moment) for _, _, moment in named.values()} == {len("20261122T093000Z")}


def test_data_comes_back_as_it_was(place: Place) -> None:
    place.copied()
    place.converted()
    ended = place.restore()
    assert ended.returncode == 0, ended.stderr
    assert place.has()


def test_the_newer_data_is_kept_where_that_is_asked_for(place: Place) -> None:
    place.copied()
    place.converted()
    assert place.restore(aside=NEWER).returncode == 0
    assert place.has()
    assert (place.copies / NEWER / LINES / "lines2").read_text() == "converted"
    place.converted()
    assert place.run(RESTORE, NEWER, "", *VOLUMES).returncode == 0, "it is a copy as any other"
    assert place.has("converted")


@pytest.mark.parametrize("aside", ["", NEWER])
@pytest.mark.parametrize(
    ("program", "what"),
    [("mv", f"{LINES}/_data.gone"), ("mv", f" {LINES} "), ("mv", f" {INDEX} "), ("rm", f"{LINES}/_data.gone"), ("mkdir", "../keeper")],
)  # fmt: skip
@pytest.mark.parametrize("done", [True, False])
def test_a_way_back_that_is_killed_anywhere_is_gone_to_its_end_by_the_next(place: Place, aside: str, program: str, what: str, done: bool) -> None:  # fmt: skip
    place.copied()
    place.converted()
    place.killed_at(program, what, first=f'/bin/{program} "$@";' if done else "")
    place.restore(aside=aside)
    place.usual(program)
    ended = place.restore(aside=aside)
    assert ended.returncode == 0, ended.stderr
    assert place.has()
    if aside:
        kept = [(place.copies / NEWER / volume / "lines2").read_text() for volume in (LINES, INDEX)]
        assert kept == ["converted", "converted"]


def test_a_volume_that_somebody_moved_elsewhere_is_copied_and_not_its_link(place: Place) -> None:
    elsewhere = place.data.rename(place.folder / "large")
    place.data.symlink_to(elsewhere)
    place.copied()
    (elsewhere / "lines").unlink()
    assert (place.copies / OLD / LINES / "lines").read_text() == "precious"
    assert place.restore().returncode == 0
    assert (place.data / "lines").read_text() == "precious"


@pytest.mark.parametrize("script", [COPY, RESTORE])
def test_what_somebody_is_at_work_on_is_neither_copied_nor_replaced(place: Place, script: str) -> None:  # fmt: skip
    place.copied()
    (place.data / "lines").write_text("newer")
    (place.folder / "used").write_text("backup\nmaison-db-1\n")
    ended = place.copy(NEWER) if script == COPY else place.restore()
    assert ended.returncode == 1
    assert ended.stderr.endswith("is in use by backup maison-db-1\n")
    assert (place.data / "lines").read_text() == "newer"
    assert (place.copies / OLD / LINES / "lines").read_text() == "precious"
    assert place.kept == [OLD]


def test_what_was_started_while_it_was_copied_makes_no_copy(place: Place) -> None:
    place.program("cp", '#!/bin/sh\necho maison-db-1 >"$PLACE/used"\nexec /bin/cp "$@"\n')
    ended = place.copy()
    assert (ended.returncode, place.kept) == (1, [])
    assert "is in use by maison-db-1" in ended.stderr


def test_while_a_killed_run_still_copies_no_other_does(place: Place) -> None:
    """Its shell is gone; its `cp` goes on and holds the lock."""
    place.copied()
    place.program("cp", '#!/bin/sh\necho $$ >"$PLACE/.pid"; mv "$PLACE/.pid" "$PLACE/pid"\nexec sleep 60\n')  # fmt: skip
    process = place.begin(COPY, NEWER, *VOLUMES)
    until(place.folder / "pid")
    process.kill()
    for ended in (place.room(), place.copy(), place.restore(), place.run(THIN, OLD, "keeper-2")):
        assert ended.returncode == 1
        assert ended.stderr == "another run is still at work on its copies\n"
    assert (place.data / "lines").read_text() == "precious"
    os.kill(int((place.folder / "pid").read_text()), signal.SIGKILL)
    process.communicate(timeout=PATIENCE)  # its pipes are closed when that one is gone too
    place.usual("cp")
    assert place.copy(NEWER).returncode == 0
    assert place.kept == [OLD, NEWER]


def test_what_a_killed_run_has_left_half_copied_takes_no_room(place: Place) -> None:
    place.copied()
    place.killed_at("cp", INDEX)
    assert place.copy(NEWER).returncode != 0
    assert ".new" in place.kept
    assert place.room().returncode == 0
    assert place.kept == [OLD]
    place.room(stale=OLD)
    assert place.kept == []


def test_without_volumes_there_is_nothing_to_copy(place: Place) -> None:
    assert place.run(ROOM, "", "maison_db-none-yet").returncode == NOTHING


def test_without_room_that_is_said(place: Place) -> None:
    place.program("df", "#!/bin/sh\necho 'F 1024-blocks Used Available'\necho '/dev/sda1 9 9 1'\n")
    ended = place.room()
    assert ended.returncode == FULL
    assert "MiB to copy, and 0 MiB are free" in ended.stdout


def test_a_disk_that_is_full_half_way_keeps_the_last_copy_and_no_half_one(place: Place) -> None:
    place.copied()
    place.program("cp", '#!/bin/sh\nfor to; do :; done\nmkdir "$to"; echo half >"$to/lines"; exit 1\n')  # fmt: skip
    assert place.copy(NEWER).returncode == 1
    assert place.kept == [OLD]
    assert (place.copies / OLD / LINES / "lines").read_text() == "precious"


def test_a_disk_that_the_new_version_filled_has_room_for_the_way_back(place: Place) -> None:
    place.copied()
    place.converted()
    place.program("cp", "#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n")
    assert place.restore(aside=NEWER).returncode == 0
    assert place.has()


def test_copies_on_another_disk_come_back_too(place: Place) -> None:
    """As far as a shell can be told so: each folder of Docker's has a number of its own."""
    place.copied()
    place.converted()
    place.program("stat", '#!/bin/sh\nfor path; do :; done\ncase $path in .) echo 1 ;; *) echo 2 ;; esac\n')  # fmt: skip
    place.killed_at("mv", f"-T {INDEX} ")
    place.restore(aside=NEWER)
    place.usual("mv")
    ended = place.restore(aside=NEWER)
    assert ended.returncode == 0, ended.stderr
    assert place.has()
    assert (place.copies / NEWER / INDEX / "lines2").read_text() == "converted"


def test_a_copy_that_somebody_has_deleted_is_not_said_to_be_back(place: Place) -> None:
    place.copied()
    place.converted()
    subprocess.run(["rm", "-r", place.copies / OLD], check=True)
    ended = place.restore()
    assert ended.returncode == 1
    assert f"there is no {place.copies}/{OLD}" in ended.stderr
    assert place.has("converted")


def test_older_copies_go_when_an_update_has_served(place: Place) -> None:
    for name in ("last", "keeper-0@20261101T000000Z", "keeper-1@20261101T000000Z", "keeper-1.5@1", ".new"):  # fmt: skip
        (place.copies / name).mkdir(parents=True)
    (place.copies / NEWER).mkdir()
    assert place.run(THIN, NEWER, "keeper-1").returncode == 0
    assert place.kept == ["keeper-1@20261101T000000Z", NEWER]


def test_a_docker_that_is_silent_does_not_mean_that_there_is_nothing(place: Place) -> None:
    (place.folder / "silent").touch()
    assert place.room().returncode == 1
    assert place.copy().returncode == 1
    assert place.kept == []


def until(path: Path) -> None:
    ends = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < ends, path
        time.sleep(0.01)
