"""What every vm has by itself: the profile `vm`, its firmware, and how long it may take until it is up. On the fake."""

import asyncio
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.engine.run import run
from freehold.system.incus.fake import FakeIncus
from tests.provider.estate import Counting, Server, change_of, summary

MIXED = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        profiles:
          big: {config: {limits.memory: 4GiB}}
        machines:
          box: {ip: 10.100.7.10}
          vm: {ip: 10.100.7.11, type: vm, image: debian/13-vm, profiles: [big]}
      pro:
        subnet_id: 8
        machines:
          box: {ip: 10.100.8.10}
    """
AGENT = {"type": "disk", "source": "agent:config"}


@pytest.fixture
def fake() -> FakeIncus:
    return FakeIncus(images=("debian/13",), vm_images=("debian/13-vm",))


@pytest.fixture
def server(fake: FakeIncus, tmp_path: Path) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    yield Server(Counting(fake), tmp_path, loop, is_real=False)
    loop.close()


def written(text: str, machine: str) -> str:
    """The estate with more keys of its vm."""
    return text.replace("type: vm,", f"type: vm, {machine},")


def complaints(server: Server, text: str) -> list[str]:
    """What an apply says that does not come to its end."""
    planner = server.planner(text)
    plan = server.wait(planner.look()).plan
    result = server.wait(run(planner, plan, lambda _: None, asyncio.Event()))
    said = [each for outcome in result.outcomes for each in outcome.diagnostics]
    assert result.exit_code != 0
    return [f"{each.code}: {each.detail}\n{each.hint}" for each in said]


def test_a_domain_with_a_vm_has_the_profile_and_others_do_not(server: Server) -> None:
    server.apply(MIXED)
    profile = server.wait(server.incus.get("/profiles/vm", project="lab"))
    assert profile["devices"] == {"agent": AGENT}
    assert profile["config"]["security.secureboot"] == "true"
    assert not server.exists("/profiles/vm", "pro")
    assert server.plan(MIXED).is_empty


def test_a_vm_has_its_own_profiles_after_the_built_in_one(server: Server) -> None:
    server.apply(MIXED)
    vm = server.instance("lab", "lab-vm")
    assert vm["profiles"] == ["default", "vm", "big"]
    assert vm["expanded_config"]["limits.cpu"] == "2"
    assert vm["expanded_config"]["limits.memory"] == "4GiB"
    assert vm["expanded_devices"]["agent"] == AGENT
    assert server.instance("lab", "lab-box")["profiles"] == ["default"]


def test_the_profile_goes_with_the_last_vm(server: Server) -> None:
    server.apply(MIXED)
    text = MIXED.replace("          vm: {ip: 10.100.7.11, type: vm, image: debian/13-vm, profiles: [big]}\n", "")  # fmt: skip
    server.apply(text, prune=True)
    assert not server.exists("/profiles/vm", "lab")


def test_secure_boot_can_be_switched_off_and_needs_a_restart(server: Server) -> None:
    server.apply(MIXED)
    text = written(MIXED, "secure_boot: false")
    change = change_of(server.plan(text), "instance:lab/vm")
    assert change.impact == "restart"
    server.apply(text)
    assert server.instance("lab", "lab-vm")["config"]["security.secureboot"] == "false"
    assert server.plan(text).is_empty
    server.apply(MIXED)
    assert "security.secureboot" not in server.instance("lab", "lab-vm")["config"]


def test_another_boot_timeout_disturbs_nothing_that_runs(server: Server) -> None:
    server.apply(MIXED)
    text = written(MIXED, "boot_timeout: 10m")
    plan = server.plan(text)
    assert summary(plan) == {"instance:lab/vm": "update"}
    assert change_of(plan, "instance:lab/vm").impact == "live"
    server.apply(text)
    assert server.plan(text).is_empty
    server.apply(MIXED)
    assert server.plan(MIXED).is_empty


def test_a_silent_agent_is_told_from_a_missing_address(fake: FakeIncus, server: Server) -> None:
    fake.behaviour.agent_after = 10**6
    said = complaints(server, written(MIXED, "boot_timeout: 1s"))
    assert "machine-not-up: lab-vm was to have 10.100.7.11 within 1 seconds; it has 10.100.7.11, and its agent" in said[0]  # fmt: skip
    assert "must start incus-agent" in said[0]
    assert "incus console --project lab lab-vm" in said[0]
    assert "incus exec" not in said[0], "nothing runs in it without the agent"
    assert "give lab/vm a longer `boot_timeout` than 1s" in said[0]


def test_a_vm_that_does_not_boot_says_so(fake: FakeIncus, server: Server) -> None:
    fake.behaviour.agent_after = fake.behaviour.address_after = 10**6
    text = written(MIXED, "boot_timeout: 1s").replace("          box: {ip: 10.100.7.10}\n", "")
    said = complaints(server, text.replace("machines:\n          box: {ip: 10.100.8.10}", "machines: {}"))  # fmt: skip
    assert "it has no address at all, and its agent" in said[0]
    assert "`secure_boot: false`" in said[0]


def test_a_container_without_an_address_is_looked_at_from_inside(
    fake: FakeIncus, server: Server
) -> None:
    fake.behaviour.address_after = 10**6
    text = f"defaults: {{boot_timeout: 1s}}\n{textwrap.dedent(MIXED)}"
    said = complaints(server, text)
    about = next(each for each in said if "lab-box" in each)
    assert "incus exec --project lab lab-box -- ip address" in about
