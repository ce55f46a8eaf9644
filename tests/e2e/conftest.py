"""One lab for all whole runs, with somebody else's things in it; every test gets an empty folder."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from tests.e2e import foreign
from tests.e2e.estate import Estate, pid_of
from tests.throwaway import name_it_twice, throwaway_lab


@pytest.fixture(scope="session")
def e2e_lab() -> Iterator[Lab]:
    """A lab with the image under two names."""
    with throwaway_lab() as lab:
        name_it_twice(lab)
        foreign.make(lab)
        yield lab


@pytest.fixture
def estate(e2e_lab: Lab, tmp_path: Path) -> Iterator[Estate]:
    """An empty estate's folder. Whatever a test did, nothing of somebody else's may have changed."""
    theirs = json.dumps(foreign.picture(e2e_lab), sort_keys=True)
    estate = Estate(tmp_path, e2e_lab)
    try:
        yield estate
        assert json.dumps(foreign.picture(e2e_lab), sort_keys=True) == theirs
    finally:
        estate.end_all()
        e2e_lab.start()  # a test may have left the daemon ended
        foreign.clean(e2e_lab)


@pytest.fixture
def outside(e2e_lab: Lab) -> Iterator[str]:
    """A network namespace joined to the lab's: what answers at 203.0.113.9 is the internet."""
    name = f"fh-out-{pid_of(e2e_lab)}"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "add", "in0", "type", "veth", "peer", "out0")
        ip("-n", name, "link", "set", "out0", "netns", f"/proc/{pid_of(e2e_lab)}/ns/net")
        ip("-n", name, "address", "add", "203.0.113.9/24", "dev", "in0")
        ip("-n", name, "link", "set", "in0", "up")
        commands = "ip address add 203.0.113.1/24 dev out0 && ip link set out0 up"
        assert e2e_lab.run(["sh", "-c", commands]) == 0
        yield "203.0.113.9:80"
    finally:
        ip("netns", "delete", name)  # and with it the pair
