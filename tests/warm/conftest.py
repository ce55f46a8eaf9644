"""A lab with a few machines, and everything that is between Ansible and them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image
from tests.warm.machines import BARE, MACHINES, PROJECT, Machines

IMAGE = "debian/13"
_MAKE = f"""
set -e
incus project create {PROJECT} -c features.images=false -c features.profiles=false -c features.storage.volumes=false
for name in {" ".join(MACHINES)}; do incus launch {IMAGE} --project {PROJECT} "$name"; done
incus exec --project {PROJECT} {BARE} -- sh -c 'rm /usr/bin/python3*'
"""


@pytest.fixture(scope="session")
def warm_lab() -> Iterator[Lab]:
    """A lab with machines; one of them has no Python."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(folder, "lab"))
        lab.start()
        try:
            ensure_image(lab, IMAGE, lambda text: None)
            assert lab.run(["sh", "-c", _MAKE]) == 0
            yield lab
        finally:
            lab.reset()


@pytest.fixture
def machines(warm_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """The machines with a keeper of the test's own, which ends with the test."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    machines = Machines(warm_lab, tmp_path)
    yield machines
    machines.end_keeper()
