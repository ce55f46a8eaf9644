"""Requests for virtual machines and GPUs. Only on the fake: neither runs where these tests run."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.incus.fake import FakeIncus
from tests.provider.estate import Counting, Server, summary

MIXED = """
    freehold: 1
    name: test-estate
    gpu: {policy: shared}
    domains:
      lab:
        subnet_id: 7
        machines:
          box: {ip: 10.100.7.10, gpu: true}
          vm: {ip: 10.100.7.11, type: vm, image: debian/13-vm, cpu: 2, memory: 1GiB, disk: 12GiB}
    """


@pytest.fixture
def fake() -> FakeIncus:
    incus = FakeIncus(images=("debian/13",), vm_images=("debian/13-vm",))
    incus.behaviour.agent_after = 3
    incus.behaviour.computer.cards = [
        {"pci_address": "0000:00:02.0", "vendor_id": "8086", "driver": "i915"}
    ]
    return incus


@pytest.fixture
def server(fake: FakeIncus, tmp_path: Path) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    yield Server(Counting(fake), tmp_path, loop, is_real=False)
    loop.close()


def test_a_container_and_a_vm_live_in_one_domain(server: Server) -> None:
    server.apply(MIXED)
    vm = server.instance("lab", "lab-vm")
    assert (vm["type"], vm["status"]) == ("virtual-machine", "Running")
    assert vm["config"]["limits.cpu"] == "2"
    assert vm["devices"]["root"]["size"] == "12GiB"
    assert server.instance("lab", "lab-box")["type"] == "container"
    assert server.plan(MIXED).is_empty


def test_a_vm_is_up_when_its_agent_shows_its_address(server: Server) -> None:
    server.apply(MIXED)
    looks = server.incus.looks_at_state["lab-vm"]
    assert looks > 3, "the agent answers at the fourth look"
    assert "10.100.7.11" in server.addresses("lab", "lab-vm")


def test_a_gpu_is_a_device_of_the_machine(server: Server) -> None:
    server.apply(MIXED)
    assert server.instance("lab", "lab-box")["expanded_devices"]["gpu"]["type"] == "gpu"


def test_memory_of_a_vm_needs_a_restart_and_of_a_container_none(server: Server) -> None:
    server.apply(MIXED)
    more = MIXED.replace("memory: 1GiB", "memory: 2GiB").replace("gpu: true", "memory: 2GiB")
    changes = {str(c.address): c.impact for c in server.plan(more).changes}
    assert changes == {"instance:lab/box": "live", "instance:lab/vm": "restart"}
    server.apply(more)
    assert server.plan(more).is_empty


def test_another_type_is_created_anew_and_says_that_data_is_lost(server: Server) -> None:
    server.apply(MIXED)
    container = MIXED.replace("type: vm, image: debian/13-vm, ", "")
    plan = server.plan(container)
    assert summary(plan) == {"instance:lab/vm": "replace"}
    assert plan.destructive
    before = server.instance("lab", "lab-vm")["devices"]["eth0"]
    server.apply(container)
    after = server.instance("lab", "lab-vm")
    assert (after["type"], after["devices"]["eth0"]) == ("container", before)
