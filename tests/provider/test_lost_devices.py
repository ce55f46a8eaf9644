"""Devices that a running container loses, on a real Incus: a device of the kernel's own stands in for a graphics card."""

import asyncio
import os

import pytest

from freehold.engine.run import RunResult, run
from freehold.operations.lab import Lab
from freehold.operations.machine_status import Status
from freehold.operations.status import read_status
from freehold.operations.verify import verify_estate
from tests.provider.estate import Server, change_of

PATH = "/dev/stand-in/card0"
ESTATE = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        profiles:
          stand-in:
            devices:
              card: {type: unix-char, path: /dev/stand-in/card0, major: 1, minor: 7, mode: "0666"}
        machines:
          one: {ip: 10.100.7.10, profiles: [stand-in]}
    """
GONE = f"umount {PATH}; rm -f {PATH}"
ANOTHER = f"{GONE}; touch {PATH}; mount --bind /dev/null {PATH}"
COVERED = "mount -t tmpfs -o ro tmpfs /dev/stand-in"
STALE = """
printf '#!/bin/sh\\necho 1:3\\n' >/run/other-numbers; chmod 755 /run/other-numbers
mount --bind /run/other-numbers "$(command -v stat)"
"""
"""What a stale node is like until the machine starts anew: whatever is done, it has other numbers."""


pytestmark = pytest.mark.parametrize(
    "server", [pytest.param("real", marks=pytest.mark.lab)], indirect=True
)


@pytest.fixture
def machine(server: Server) -> Server:
    """A server with the machine running and everything as declared."""
    server.apply(ESTATE)
    assert server.plan(ESTATE).is_empty
    return server


def inside(server: Server, command: str) -> str:
    result = server.wait(server.incus.execute("lab", "lab-one", ["sh", "-c", command]))
    assert result.exit_code == 0, result
    return str(result.stdout)


def started(server: Server) -> str:
    return str(server.instance("lab", "lab-one")["last_used_at"])


def lost(server: Server) -> dict[str, tuple[str, str]]:
    """By field: what the plan says, and what mending it does to the machine."""
    fields = change_of(server.plan(ESTATE), "instance:lab/one").fields
    return {field.path: (field.before, str(field.impact)) for field in fields}


def test_a_device_that_is_gone_is_seen_and_given_back_without_a_restart(machine: Server) -> None:
    before = started(machine)
    inside(machine, GONE)
    assert lost(machine) == {"lost.card.nodes": (f"{PATH} is missing", "live")}
    (status,) = machine.wait(status_of(machine)).machines
    assert (status.state, status.drift) == ("running", ("lost.card.nodes",))
    verification = machine.wait(verify_estate(machine.planner(ESTATE), machine.incus))
    assert not verification.is_clean
    machine.apply(ESTATE)
    assert inside(machine, f"stat -c %t:%T {PATH}").strip() == "1:7"
    assert started(machine) == before
    assert machine.plan(ESTATE).is_empty


@pytest.mark.slow
def test_a_device_that_may_not_be_opened_is_seen_and_given_back(
    machine: Server, real_lab: Lab
) -> None:
    """Whoever has no right to it meets the same as when the kernel's rules for the container lack it."""
    (node,) = (real_lab.socket.parent / "devices" / "lab_lab-one").glob("unix.card.*")
    os.chown(node, 0, 0)  # root of the host, whom the container does not know
    node.chmod(0o600)
    assert lost(machine) == {"lost.card.nodes": (f"{PATH} cannot be opened", "live")}
    machine.apply(ESTATE)
    assert inside(machine, f"test -r {PATH} && test -w {PATH} && echo both").strip() == "both"
    assert machine.plan(ESTATE).is_empty


@pytest.mark.slow
def test_another_device_in_its_place_is_seen(machine: Server) -> None:
    inside(machine, ANOTHER)
    assert lost(machine) == {
        "lost.card.nodes": (f"{PATH} is device 1:3, the host's is 1:7", "live")
    }
    machine.apply(ESTATE)
    assert inside(machine, f"stat -c %t:%T {PATH}").strip() == "1:7"
    assert machine.plan(ESTATE).is_empty


@pytest.mark.parametrize(
    "breaking",
    [
        pytest.param(STALE, id="stale", marks=pytest.mark.slow),
        pytest.param(COVERED, id="cannot be attached"),
    ],
)
def test_what_attaching_anew_does_not_mend_a_restart_does_after_it_was_said(
    machine: Server, breaking: str
) -> None:
    before = started(machine)
    inside(machine, breaking)
    assert {impact for _, impact in lost(machine).values()} == {"live"}
    outcome = apply(machine)
    assert outcome.exit_code != 0
    (failed,) = outcome.outcomes
    assert failed.diagnostics[0].code == "device-still-lost"
    assert started(machine) == before, "nobody agreed to a restart"
    assert lost(machine)["lost.card.reattached"] == ("in vain", "restart")
    machine.apply(ESTATE)
    assert started(machine) != before
    assert inside(machine, f"stat -c %t:%T {PATH}").strip() == "1:7"
    assert machine.plan(ESTATE).is_empty


@pytest.mark.slow
def test_after_a_restart_by_hand_the_gentlest_means_come_first_again(machine: Server) -> None:
    inside(machine, STALE)
    apply(machine)
    machine.by_hand("PUT", "/instances/lab-one/state", {"action": "restart", "force": True}, "lab")
    assert machine.plan(ESTATE).is_empty
    inside(machine, GONE)
    assert lost(machine) == {"lost.card.nodes": (f"{PATH} is missing", "live")}


@pytest.mark.slow
def test_a_machine_that_cannot_be_asked_is_said_not_to_be_measured(machine: Server) -> None:
    inside(machine, f"{GONE}; mv /bin/sh /bin/sh.away")
    plan = machine.plan(ESTATE)
    assert [each.code for each in plan.diagnostics] == ["devices-not-measured"]
    assert plan.can_apply


async def status_of(server: Server) -> Status:
    planner = server.planner(ESTATE)
    return await read_status(server.incus, planner.infra, await planner.look())


def apply(server: Server) -> RunResult:
    """Plan and carry out, however it ends."""
    planner = server.planner(ESTATE)

    async def go() -> RunResult:
        plan = (await planner.look()).plan
        return await run(planner, plan, server.events.append, asyncio.Event())

    return server.wait(go())
