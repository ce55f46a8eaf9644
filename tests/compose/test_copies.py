"""The scripts that copy volumes and bring them back, run here by a shell, with a `docker` that knows folders as volumes."""

import subprocess
from pathlib import Path

import pytest

from freehold.providers.compose import copies

DOCKER = """#!/bin/sh
case "$1 $2" in
    "volume ls") [ ! -e "$PLACE/silent" ] || exit 1; ls "$PLACE/volumes" ;;
    "volume inspect") for name; do :; done; echo "$PLACE/volumes/$name/_data" ;;
    "ps --filter") cat "$PLACE/used" ;;
esac
"""


class Place:
    """A target's Docker and the folder of its copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copy = folder / "copies/db"
        self.data = folder / "volumes/maison_db-lines/_data"
        self.data.mkdir(parents=True)
        (self.data / "lines").write_text("precious")
        (folder / "used").write_text("")
        (folder / "bin").mkdir()
        self.program("docker", DOCKER)

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, script: str, *volumes: str) -> subprocess.CompletedProcess[str]:
        names = volumes or ("maison_db-lines", "maison_db-none-yet")
        path = f"{self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.run(
            ["sh", "-c", script, "copy", str(self.copy), *names],
            env={"PATH": path, "PLACE": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def copied(self) -> None:
        for script in (copies._ROOM, copies._COPY):
            ended = self.run(script)
            assert ended.returncode == 0, ended.stderr


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_data_comes_back_as_it_was(place: Place) -> None:
    place.copied()
    (place.data / "lines").rename(place.data / "converted")
    ended = place.run(copies._RESTORE)
    assert ended.returncode == 0, ended.stderr
    assert [each.name for each in place.data.iterdir()] == ["lines"]
    assert [each.name for each in place.data.parent.iterdir()] == ["_data"]


def test_a_volume_that_somebody_moved_elsewhere_is_copied_and_not_its_link(place: Place) -> None:
    elsewhere = place.data.rename(place.folder / "large")
    place.data.symlink_to(elsewhere)
    place.copied()
    (elsewhere / "lines").unlink()
    assert (place.copy / "last/maison_db-lines/lines").read_text() == "precious"
    assert place.run(copies._RESTORE).returncode == 0
    assert (place.data / "lines").read_text() == "precious"


@pytest.mark.parametrize("script", [copies._COPY, copies._RESTORE])
def test_what_somebody_is_at_work_on_is_neither_copied_nor_replaced(place: Place, script: str) -> None:  # fmt: skip
    place.copied()
    (place.data / "lines").write_text("newer")
    (place.folder / "used").write_text("backup\nmaison-db-1\n")
    ended = place.run(script)
    assert ended.returncode == 1
    assert ended.stderr == "the volume maison_db-lines is in use by backup maison-db-1\n"
    assert (place.data / "lines").read_text() == "newer"
    assert (place.copy / "last/maison_db-lines/lines").read_text() == "precious"
    assert [each.name for each in place.copy.iterdir()] == ["last"]


def test_a_disk_that_is_full_half_way_keeps_the_last_copy_and_no_half_one(place: Place) -> None:
    place.copied()
    place.program("cp", '#!/bin/sh\nfor to; do :; done\nmkdir "$to"; echo half >"$to/lines"; exit 1\n')  # fmt: skip
    assert place.run(copies._COPY).returncode == 1
    assert [each.name for each in place.copy.iterdir()] == ["last"]
    assert (place.copy / "last/maison_db-lines/lines").read_text() == "precious"


def test_a_disk_that_the_new_version_filled_has_room_for_the_way_back(place: Place) -> None:
    place.copied()
    (place.data / "lines").write_text("converted")
    place.program("cp", "#!/bin/sh\necho 'No space left on device' >&2\nexit 1\n")
    assert place.run(copies._RESTORE).returncode == 0
    assert (place.data / "lines").read_text() == "precious"


@pytest.mark.parametrize("script", [copies._ROOM, copies._COPY])
def test_a_docker_that_is_silent_does_not_mean_that_there_is_nothing(place: Place, script: str) -> None:  # fmt: skip
    (place.folder / "silent").touch()
    assert place.run(script).returncode == 1
    assert not (place.copy / "last").exists()
