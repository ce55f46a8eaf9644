"""What an Incus that was killed leaves half made. On the fake, which can be told to fail as the real one did."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.incus.api import IncusError
from freehold.system.incus.fake import FakeIncus
from tests.provider.estate import ONE_MACHINE, Counting, Server

NO_ROOT = "Failed getting instance pool: Instance storage pool not found"


@pytest.fixture
def fake() -> FakeIncus:
    return FakeIncus(images=("debian/13",))


@pytest.fixture
def server(fake: FakeIncus, tmp_path: Path) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    yield Server(Counting(fake), tmp_path, loop, is_real=False)
    loop.close()


def made_and_never_started(server: Server, fake: FakeIncus) -> None:
    """An instance of ours as Incus keeps it when its making was broken off: it never ran."""
    server.apply(ONE_MACHINE)
    body = server.instance("lab", "lab-one")
    server.by_hand("PUT", "/instances/lab-one/state", {"action": "stop", "force": True}, "lab")
    server.wait(fake.send("DELETE", "/instances/lab-one", project="lab"))
    kept = {key: body[key] for key in ("devices", "profiles", "description")}
    config = {k: v for k, v in body["config"].items() if k.startswith("user.freehold.")}
    source = {"type": "image", "alias": "debian/13"}
    new = {**kept, "name": "lab-one", "type": "container", "config": config, "source": source}
    server.by_hand("POST", "/instances", new, "lab")


def fail_start(fake: FakeIncus, message: str) -> None:
    error = IncusError("PUT /instances/lab-one/state", 400, message)
    fake.fail_next("PUT", "/instances/lab-one/state", error)


def test_a_machine_without_a_root_disk_that_never_ran_is_made_anew(
    server: Server, fake: FakeIncus
) -> None:
    made_and_never_started(server, fake)
    fail_start(fake, NO_ROOT)
    server.apply(ONE_MACHINE)
    assert "DELETE /instances/lab-one" in server.incus.writes
    assert "10.100.7.10" in server.addresses("lab", "lab-one")


def test_a_machine_that_ran_before_is_never_deleted_for_it(server: Server, fake: FakeIncus) -> None:
    server.apply(ONE_MACHINE)
    server.by_hand("PUT", "/instances/lab-one/state", {"action": "stop", "force": True}, "lab")
    fail_start(fake, NO_ROOT)
    with pytest.raises(AssertionError, match="Instance storage pool not found"):
        server.apply(ONE_MACHINE)
    assert server.exists("/instances/lab-one", "lab")


def test_another_reason_not_to_start_deletes_nothing(server: Server, fake: FakeIncus) -> None:
    made_and_never_started(server, fake)
    fail_start(fake, "Failed to run: forkstart: exit status 1")
    with pytest.raises(AssertionError, match="forkstart"):
        server.apply(ONE_MACHINE)
    assert server.exists("/instances/lab-one", "lab")
