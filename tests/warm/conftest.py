"""A lab with a few machines, and everything that is between Ansible and them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from tests.throwaway import IMAGE, throwaway_lab
from tests.warm.machines import BARE, MACHINES, PROJECT, WATCHED, Machines

_MAKE = f"""
set -e
incus project create {PROJECT} -c features.images=false -c features.profiles=false -c features.storage.volumes=false
for name in {" ".join(MACHINES)}; do incus launch {IMAGE} --project {PROJECT} "$name"; done
incus launch {IMAGE} --project {PROJECT} {WATCHED} -c security.syscalls.intercept.mknod=true
incus exec --project {PROJECT} {BARE} -- sh -c 'rm /usr/bin/python3*'
"""


@pytest.fixture(scope="session")
def warm_lab() -> Iterator[Lab]:
    """A lab with machines; one of them has no Python, of another Incus often does not know what runs in it."""
    with throwaway_lab() as lab:
        assert lab.run(["sh", "-c", _MAKE]) == 0
        yield lab


@pytest.fixture
def machines(warm_lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """The machines with a keeper of the test's own, which ends with the test."""
    with tempfile.TemporaryDirectory(
        prefix="fh-", dir="/tmp"
    ) as runtime:  # a socket's path is short
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        machines = Machines(warm_lab, tmp_path)
        yield machines
        machines.end_keeper()
