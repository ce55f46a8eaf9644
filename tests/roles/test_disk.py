"""Which disks the module `freehold.estate.disk` takes for empty: the decision, on images that the real tools have made and read.

What follows from it on a disk that the kernel knows, tests/vm/test_disks.py sees.
"""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ansible_collections.freehold.estate.plugins.modules.disk import (
    Found,
    Refused,
    decide,
    in_use,
    partitions,
)

SIZE = 64 << 20  # bytes
MIB = 1 << 20


def run(words: Sequence[str]) -> tuple[int, str, str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def made(*words: str) -> None:
    subprocess.run(words, capture_output=True, check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An image of zeros, as a new disk is."""
    image = tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(SIZE)
    return image


def decided(disk: Path, parts: Sequence[str] = (), *, used: bool = False) -> Found:
    """It may only read."""
    before = disk.read_bytes()
    try:
        return decide(run, str(disk), SIZE, parts, used)
    finally:
        assert disk.read_bytes() == before


def ext4(path: Path, *options: str) -> None:
    made("mkfs.ext4", "-q", "-F", *options, str(path))


def swap(path: Path) -> None:
    made("mkswap", str(path))


def old_table(path: Path) -> None:
    """A partition table of DOS with no partition: two bytes."""
    with path.open("r+b") as file:
        file.seek(510)
        file.write(b"\x55\xaa")
        file.seek(446)
        file.write(b"\x00\x00\x00\x00\x83\x00\x00\x00\x3f\x00\x00\x00\x00\x10\x00\x00")


def encrypted(path: Path) -> None:
    """The first bytes of LUKS 2."""
    with path.open("r+b") as file:
        file.write(b"LUKS\xba\xbe\x00\x02" + (16384).to_bytes(8) + b"\0" * 4096)


def test_zeros_are_empty(disk: Path) -> None:
    assert decided(disk) == Found(None)


def test_zeros_that_something_uses_are_not(disk: Path) -> None:
    with pytest.raises(Refused, match="Something uses it"):
        decided(disk, used=True)


def test_an_ext4_is_taken_as_it_is(disk: Path) -> None:
    ext4(disk)
    uuid = run(["blkid", "-p", "-o", "value", "-s", "UUID", str(disk)])[1].strip()
    assert decided(disk) == Found(str(disk), uuid)


@pytest.mark.parametrize("fill", [swap, old_table, encrypted])
def test_whatever_else_there_is_is_refused(disk: Path, fill: Callable[[Path], None]) -> None:
    fill(disk)
    with pytest.raises(Refused, match="It holds"):
        decided(disk)


@pytest.mark.parametrize("beginning", [MIB, 63 * 512])
def test_a_file_system_whose_table_was_wiped_is_refused(disk: Path, beginning: int) -> None:
    ext4(disk, "-E", f"offset={beginning}")
    assert run(["wipefs", "-n", str(disk)])[1] == ""
    with pytest.raises(Refused, match="ext4 lies where a first partition begins"):
        decided(disk)


def parts_of(disk: Path) -> Path:
    """The image of its first partition, beside it as udev names it."""
    part = disk.with_name(f"{disk.name}-part1")
    with part.open("wb") as file:
        file.truncate(SIZE - 2 * MIB)
    return part


def test_the_one_ext4_in_a_partition_is_taken_as_it_is(disk: Path) -> None:
    old_table(disk)
    ext4(part := parts_of(disk))
    found = decided(disk, ["sda1"])
    assert (found.device, found.is_there) == (str(part), True)


def test_a_partition_that_nobody_marked_is_refused(disk: Path) -> None:
    """It may hold what no tool knows."""
    old_table(disk)
    parts_of(disk)
    with pytest.raises(Refused, match="one partition with something that no tool knows"):
        decided(disk, ["sda1"])


def test_several_partitions_are_refused(disk: Path) -> None:
    old_table(disk)
    with pytest.raises(Refused, match="partitions: 2"):
        decided(disk, ["sda1", "sda2"])


def test_a_file_system_beside_partitions_is_refused(disk: Path) -> None:
    ext4(disk)
    with pytest.raises(Refused, match="It holds ext4"):
        decided(disk, ["sda1"])


def test_the_kernel_knows_partitions_and_users(tmp_path: Path) -> None:
    (tmp_path / "sda" / "sda1").mkdir(parents=True)
    (tmp_path / "sda" / "sda1" / "partition").write_text("1\n")
    (tmp_path / "sda" / "holders").mkdir()
    nothing = tmp_path / "nothing"
    nothing.write_text("")
    assert partitions("sda", tmp_path) == ["sda1"]
    assert not in_use("sda", tmp_path, nothing, nothing)
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda /srv ext4 rw 0 0\n")
    assert in_use("sda", tmp_path, mounts, nothing)
    (tmp_path / "sda" / "holders" / "dm-0").mkdir()
    assert in_use("sda", tmp_path, nothing, nothing)
