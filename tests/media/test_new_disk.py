"""A disk on which nothing is yet, and which is root's: the scripts that images run at each start make what is written to, for who writes."""

from pathlib import Path

import pytest

from freehold.system.secrets.fake import FakeSecrets
from tests.media.container import Container, container
from tests.provider.estate import infra_of

pytestmark = pytest.mark.lab

ESTATE = """
    freehold: 1
    name: maison
    hosts: {cortex: {address: 203.0.113.20}}
    services:
      vpn: {on: cortex, service: gluetun}
      downloads: {on: cortex, service: qbittorrent, settings: {uid: 1003, gid: 1004}}
      radarr: {on: cortex, settings: {uid: 1003, gid: 1004}}
      sonarr: {on: cortex, settings: {uid: 1003, gid: 1004}}
    """
SECRETS = FakeSecrets(dict.fromkeys(("downloads_password", "radarr_api_key", "sonarr_api_key"), b"x" * 32))  # fmt: skip
WRITTEN_TO = {
    "downloads": ("downloads", "downloads/films", "downloads/series", "downloads/music", "downloads/unfinished", "music"),
    "radarr": ("films",),
    "sonarr": ("series",),
}  # fmt: skip
START = ("bash", "/custom-cont-init.d/10-freehold")


def rights(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o7777


def writes(made: Container, path: str) -> bool:
    """Whether the program's user does."""
    user = ("chroot", "--userspec=1003:1004", "--groups=", "/")
    return made.run(*user, "touch", f"/media/{path}/a-file").returncode == 0


@pytest.mark.parametrize("name", sorted(WRITTEN_TO))
def test_what_is_written_to_is_there_and_the_programs(tmp_path: Path, name: str) -> None:
    with container(tmp_path, infra_of(tmp_path, ESTATE), name, SECRETS) as made:
        made.make_tunnel()
        disk = made.root / "media"
        assert rights(disk) == (0, 0, 0o755)
        for _ in range(2):  # at each start
            done = made.run(*START)
            assert done.returncode == 0, done
        for path in WRITTEN_TO[name]:
            assert rights(disk / path) == (1003, 1004, 0o2775), path
            assert writes(made, path), path
        assert rights(disk) == (0, 0, 0o755), "the disk itself stays as it is"
        assert sorted(each.name for each in disk.iterdir()) == sorted({path.partition("/")[0] for path in WRITTEN_TO[name]})  # fmt: skip


def test_folders_of_root_become_the_programs_and_a_library_stays_whose_it_is(tmp_path: Path) -> None:  # fmt: skip
    with container(tmp_path, infra_of(tmp_path, ESTATE), "downloads", SECRETS) as made:
        made.make_tunnel()
        for path in ("downloads/films", "music"):
            (made.root / "media" / path).mkdir(parents=True)
        assert made.run(*START).returncode == 0
        assert writes(made, "downloads/films")
        assert rights(made.root / "media" / "music") == (0, 0, 0o755)
        assert (made.root / "config/qBittorrent/qBittorrent.conf").stat().st_uid == 1003
