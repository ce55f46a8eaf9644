"""The real client with a real server: progress, recorded output, and a daemon that dies in the middle."""

import asyncio
import time
from typing import Any

import pytest

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image
from freehold.system.incus.api import IncusCommandTimeout, IncusError, IncusInterrupted
from tests.contract.site import IMAGE, Site, refused

pytestmark = pytest.mark.lab

PARALLEL = 300


def test_creating_from_a_fresh_image_shows_progress(real: Site, real_lab: Lab) -> None:
    fingerprint = real.get("/images/aliases/debian/13")["target"]
    real.send("DELETE", f"/images/{fingerprint}")
    ensure_image(real_lab, "debian/13", lambda text: None)
    seen: list[str] = []

    body = {"name": "one", "source": IMAGE}
    real.run(
        real.incus.send("POST", "/instances", body, progress=seen.append, project=real.project)
    )

    assert seen
    assert "%" in seen[-1]


def test_a_command_answers_with_its_code_and_both_outputs(real: Site) -> None:
    real.create("one", start=True)
    command = ["sh", "-c", r"echo grüezi; printf '\377' >&2; exit 3"]

    result = real.run(real.incus.execute(real.project, "one", command))

    assert (result.exit_code, result.stdout, result.stderr) == (3, "grüezi\n", "\ufffd")
    logs = real.get("/instances/one/logs/exec-output", project=real.project)
    assert not logs
    with refused(400, "Command not found"):
        real.run(real.incus.execute(real.project, "one", ["no-such-program"]))


def test_a_command_that_takes_too_long(real: Site) -> None:
    real.create("one", start=True)
    with pytest.raises(IncusCommandTimeout, match="longer than 1 seconds"):
        real.run(real.incus.execute(real.project, "one", ["sleep", "20"], timeout=1.0))


@pytest.mark.slow
def test_many_commands_at_once_lose_no_output(real: Site) -> None:
    real.create("one", start=True)
    real.wait_for_address("one")

    async def all_at_once() -> list[str]:
        commands = (
            real.incus.execute(real.project, "one", ["echo", str(number)], timeout=120)
            for number in range(PARALLEL)
        )
        return [result.stdout for result in await asyncio.gather(*commands)]

    assert real.run(all_at_once()) == [f"{number}\n" for number in range(PARALLEL)]


def test_many_writes_at_once(real: Site) -> None:
    async def all_at_once() -> None:
        bodies = [{"name": f"m{number}", "source": IMAGE} for number in range(20)]
        await asyncio.gather(
            *(real.incus.send("POST", "/instances", body, project=real.project) for body in bodies)
        )

    real.run(all_at_once())
    assert len(real.get("/instances", project=real.project)) == 20


def test_reads_survive_a_daemon_that_is_killed_and_started_again(real: Site, real_lab: Lab) -> None:
    async def reads(until: asyncio.Event) -> int:
        count = 0
        while not until.is_set():
            projects = await real.incus.get("/projects", recursion="1")
            assert real.project in {project["name"] for project in projects}
            count += 1
            await asyncio.sleep(0.001)
        return count

    async def scenario() -> list[int]:
        until = asyncio.Event()
        readers = [asyncio.create_task(reads(until)) for _ in range(4)]
        await asyncio.sleep(0.2)
        await asyncio.to_thread(real_lab.restart_daemon)
        await asyncio.sleep(0.2)
        until.set()
        return await asyncio.gather(*readers)

    assert min(real.run(scenario())) > 0


@pytest.mark.parametrize("what", ["operation", "request"])
def test_writes_that_a_killed_daemon_interrupts_have_an_unknown_outcome(
    real: Site, real_lab: Lab, what: str
) -> None:
    """A stop that the guest refuses is an operation; a new bridge is one long request."""
    real.create("one", start=True)
    before = time.monotonic()

    async def write() -> object:
        if what == "request":
            body = {"name": "net-cut", "config": {"ipv6.address": "none"}}
            return await real.incus.send("POST", "/networks", body)
        return await real.incus.execute(real.project, "one", ["sleep", "60"], timeout=60)

    async def begun() -> None:
        """Incus knows of it."""
        for _ in range(6000):
            networks = await real.incus.get("/networks", recursion="1")
            operations = await real.incus.get("/operations", project=real.project)
            if writing_is_seen(networks, operations):
                return
            await asyncio.sleep(0.005)

    def writing_is_seen(networks: Any, operations: Any) -> bool:
        if what == "request":
            return any(network["name"] == "net-cut" for network in networks)
        return bool(operations.get("running"))

    async def scenario() -> None:
        writing = asyncio.create_task(write())
        await begun()
        assert not writing.done()
        await asyncio.to_thread(real_lab.restart_daemon)
        with pytest.raises(IncusInterrupted):
            await writing

    real.run(scenario())

    assert time.monotonic() - before < 30
    assert real.instance("one")["status"] == "Running"
    real.change("one", description="the next write finds its events again")
    assert real.instance("one")["description"] == "the next write finds its events again"
    if what == "request":
        _forget_bridge(real)


def _forget_bridge(real: Site) -> None:
    """The daemon died somewhere in its creation."""
    for network in real.get("/networks", recursion="1"):
        if network["name"] == "net-cut" and network["managed"]:
            real.send("DELETE", "/networks/net-cut")


def test_waiting_for_a_daemon(real: Site, real_lab: Lab) -> None:
    async def scenario() -> float:
        await asyncio.to_thread(real_lab.kill_daemon)
        waiting = asyncio.create_task(real.incus.wait_ready(30))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await asyncio.to_thread(real_lab.start)
        before = time.monotonic()
        await waiting
        return time.monotonic() - before

    assert real.run(scenario()) < 5


def test_an_error_names_the_request(real: Site) -> None:
    with pytest.raises(IncusError, match=r"GET /projects/none: Project not found \(status 404\)"):
        real.get("/projects/none")
