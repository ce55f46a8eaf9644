"""Snapshots of a vm: what its kernel has not written out yet is written first. On the fake."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.engine.run import run
from freehold.operations.snapshots.planner import SnapshotPlanner
from freehold.operations.snapshots.taking import taking
from freehold.providers.incus.snapshots.reading import read_targets
from freehold.providers.incus.snapshots.steps import SnapshotSteps
from freehold.system.incus.fake import FakeIncus
from freehold.system.incus.thaw import NobodyWatches
from tests.provider.estate import Counting, Server, infra_of

ESTATE = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        machines:
          box: {ip: 10.100.7.10}
          vm: {ip: 10.100.7.11, type: vm, image: debian/13-vm, volumes: {data: {path: /srv/data}}}
          plain: {ip: 10.100.7.12, type: vm, image: debian/13-vm}
    """


@pytest.fixture
def fake() -> FakeIncus:
    return FakeIncus(images=("debian/13",), vm_images=("debian/13-vm",))


@pytest.fixture
def server(fake: FakeIncus, tmp_path: Path) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    server = Server(Counting(fake), tmp_path, loop, is_real=False)
    server.apply(ESTATE)
    fake.writes.clear()
    yield server
    loop.close()


def take(server: Server) -> None:
    provider = SnapshotSteps(server.incus, NobodyWatches(), {})
    planner = SnapshotPlanner(
        infra=infra_of(server.folder, ESTATE),
        provider=provider,
        words=("all",),
        asked=taking("one", None),
    )
    plan = server.wait(planner.look()).plan
    result = server.wait(run(planner, plan, lambda _: None, asyncio.Event()))
    assert result.exit_code == 0, result


def asked_of(fake: FakeIncus, machine: str) -> list[str]:
    """What was asked of one instance and its volumes, in order."""
    short = {"exec": "sync", "state": "state", "snapshots": "snapshot"}
    found = [write.path for write in fake.writes if machine in write.path]
    return [short[path.rpartition("/")[2]] for path in found]


def test_a_vm_writes_out_before_it_is_frozen(fake: FakeIncus, server: Server) -> None:
    take(server)
    asked = asked_of(fake, "lab-vm")
    assert asked[0] == "sync"
    assert asked[1] == asked[-1] == "state", "frozen after that, and resumed in the end"
    assert asked_of(fake, "lab-plain") == ["sync", "snapshot"]
    assert asked_of(fake, "lab-box") == ["snapshot"]


def test_a_vm_whose_agent_is_silent_has_its_snapshot_all_the_same(
    fake: FakeIncus, server: Server
) -> None:
    fake.behaviour.agent_after = 10**6
    take(server)
    targets = server.wait(read_targets(server.incus, "test-estate")).targets
    taken = {target.key: [each.name for each in target.snapshots] for target in targets}
    assert taken == {"lab/box": ["one"], "lab/plain": ["one"], "lab/vm": ["one"]}
