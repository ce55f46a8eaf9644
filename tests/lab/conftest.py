"""Labs of their own for the tests, and a look at what a lab leaves on the machine."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab

NewLab = Callable[[], Lab]


@pytest.fixture
def new_lab() -> Iterator[NewLab]:
    """Makes labs, each in a folder of its own with a short path; all are deleted in the end."""
    made: list[Lab] = []

    def make() -> Lab:
        lab = Lab(Path(tempfile.mkdtemp(prefix="fh-lab-", dir="/tmp")))
        made.append(lab)
        return lab

    yield make
    for lab in made:
        lab.reset()
        assert not lab.root.exists()


@pytest.fixture
def lab(new_lab: NewLab) -> Lab:
    made = new_lab()
    made.start()
    return made


def traces(lab: Lab, network: int) -> list[str]:
    """All that can be seen of a lab from outside: processes, mounts, loop devices, cgroups, its network namespace."""
    root = str(lab.root)
    found = [f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"**/{lab._place.cgroup}")]
    backings = Path("/sys/block").glob("loop*/loop/backing_file")
    found += [f"loop device {backing}" for backing in backings if root in backing.read_text()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if network == (process / "ns/net").stat().st_ino:
                found.append(f"network namespace of process {process.name}")
            if root in (process / "mountinfo").read_text():
                found.append(f"mount in process {process.name}")
            if root.encode() in (process / "environ").read_bytes():
                found.append(f"process {process.name}")
        except OSError:  # it has ended meanwhile, or is only waiting to be collected
            continue
    return found


def network_namespace(lab: Lab) -> int:
    pid = lab.status().pid
    assert pid is not None
    return Path(f"/proc/{pid}/ns/net").stat().st_ino
