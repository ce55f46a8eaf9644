"""A storage pool that is full when a snapshot is taken, and when one is gone back to: told, nothing half made, nobody harmed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from tests.e2e.lived_in import LivedIn, lived_in

pytestmark = [pytest.mark.lab, pytest.mark.slow]


ON_LITTLE = """
    freehold: 1
    name: cottage
    defaults: {storage: little}
    domains:
      home:
        subnet_id: 11
        machines:
          desk: {ip: 10.100.11.10, volumes: {data: {path: /data}}}
          shelf: {ip: 10.100.11.11}
    """


@pytest.fixture
def little(e2e_lab: Lab, tmp_path: Path) -> Iterator[LivedIn]:
    """Machines in a storage pool of the driver dir, which copies files, on a file system of its own."""
    place = e2e_lab.root / "little"
    mount = f"mkdir {place} && chmod 711 {place} && mount -t tmpfs -o size=3g,mode=711 none {place}"
    assert e2e_lab.run(["sh", "-ec", mount]) == 0
    bare = LivedIn(tmp_path, e2e_lab)
    bare.incus("storage", "create", "little", "dir", f"source={place}")
    try:
        with lived_in(tmp_path, e2e_lab, ON_LITTLE) as estate:
            yield estate
    finally:
        bare.incus("storage", "delete", "little")
        assert e2e_lab.run(["sh", "-ec", f"umount {place} && rmdir {place}"]) == 0


def used(little: LivedIn) -> int:
    """MiB in the pool."""
    space = little.get("/storage-pools/little/resources")["space"]
    return int(space["used"]) // 2**20


def test_where_no_space_is_left_it_is_told_and_nothing_of_it_stays(little: LivedIn) -> None:
    little.note("home/desk", "kept")
    before = used(little)

    def size(mebibytes: int) -> None:
        words = ["mount", "-o", f"remount,size={mebibytes}m", str(little.lab.root / "little")]
        assert little.lab.run(words) == 0

    size(before + 100)
    done = little.freehold("snapshot", "create", "all", "--name", "one")
    assert done.code == 1, done
    assert "failed: snapshot home/one" in done.err
    assert "No space left on device" in done.err
    assert little.stored() == set()
    assert used(little) < before + 20, "what was half copied is gone"
    little.soon_running("home/desk", "home/shelf")
    assert little.notes("home/desk") == ["kept", "kept"]
    assert little.freehold("plan", "--detailed-exitcode").code == 0

    size(3 * before)
    little.snapshot("create", "all", "--name", "one")
    assert little.stored() == {"home-desk/one", "home-shelf/one", "desk.data/one"}
    size(used(little) + 100)
    little.note("home/desk", "late")
    done = little.freehold("snapshot", "restore", "home/desk", "--name", "one", "--yes")
    assert done.code == 1, done
    assert "No space left on device" in done.err
    assert little.stored() == {"home-desk/one", "home-shelf/one", "desk.data/one"}
    assert {little.run_states()[name] for name in ("home-desk", "home-shelf")} == {"Running"}
    assert little.notes("home/desk") == ["late", "late"]
    size(4 * before)
    little.snapshot("restore", "home/desk", "--name", "one", "--yes")
    assert little.notes("home/desk") == ["kept", "kept"]
    assert little.plan()["changes"] == []
