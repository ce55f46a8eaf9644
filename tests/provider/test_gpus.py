"""Machines with graphics cards, as they are asked for from Incus. Only on the fake: no card is where these tests run."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freehold.planning.plan import Plan
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.system.incus.api import ExecResult
from freehold.system.incus.fake import FakeIncus
from freehold.system.pci import PciDevices
from tests.provider.cards import AMD, NVIDIA
from tests.provider.estate import Counting, Server, change_of, summary

ESTATE = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        machines:
          box: {ip: 10.100.7.10, MACHINE}
    """
VM = "type: vm, image: debian/13-vm, memory: 1GiB"


class FakeWithInside(FakeIncus):
    """Answers the look into a machine from `nodes`: by path, what its shell says."""

    nodes: dict[str, str]

    async def execute(self, project: str, instance: str, command: Any, **options: Any) -> Any:
        if "missing" not in command[2]:
            return await super().execute(project, instance, command, **options)
        lines = [self.nodes.get(path, "missing") for path in command[5::2]]
        return ExecResult(0, "".join(f"{line}\n" for line in lines), "")


@pytest.fixture
def fake() -> FakeWithInside:
    incus = FakeWithInside(images=("debian/13",), vm_images=("debian/13-vm",))
    incus.behaviour.computer.cards = [NVIDIA, AMD]
    incus.nodes = {
        "/dev/dri/card1": "e2:1",
        "/dev/dri/renderD129": "e2:81",
        "/dev/nvidia0": "c3:0",
        "/dev/nvidiactl": "c3:ff",
        "/dev/nvidia-uvm": "1f5:0",
        "/dev/dri/card0": "e2:0",
        "/dev/dri/renderD128": "e2:80",
    }
    return incus


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """A /sys with an IOMMU: each card alone in its group with its own sound, behind a bridge."""
    for number, card in enumerate((NVIDIA, AMD)):
        address = str(card["pci_address"])
        sound, bridge = address.replace(".0", ".1"), f"0000:00:0{number + 1}.0"
        group(tmp_path, address, {address: "0x030000", sound: "0x040300", bridge: "0x060400"})
    return tmp_path


def group(root: Path, address: str, members: dict[str, str]) -> None:
    """Put a device into an IOMMU group; `members` are classes by address."""
    devices = root / "bus" / "pci" / "devices"
    for member, kind in members.items():
        (devices / member).mkdir(parents=True, exist_ok=True)
        (devices / member / "class").write_text(f"{kind}\n")
        (devices / address / "iommu_group" / "devices" / member).mkdir(parents=True, exist_ok=True)


class ServerWithPci(Server):
    pci: PciDevices | None = None

    def planner(self, text: str, **options: Any) -> Any:
        from dataclasses import replace

        images = ServerImages(self.incus)
        provider = IncusProvider(self.incus, images, pci=self.pci)
        return replace(super().planner(text, **options), provider=provider)


@pytest.fixture
def server(fake: FakeIncus, sys: Path, tmp_path: Path) -> Iterator[ServerWithPci]:
    loop = asyncio.new_event_loop()
    server = ServerWithPci(Counting(fake), tmp_path, loop, is_real=False)
    server.pci = PciDevices(sys)
    yield server
    loop.close()


def estate(machine: str) -> str:
    return ESTATE.replace("MACHINE", machine)


def problems(plan: Plan) -> dict[str, str]:
    return {each.code: each.detail for each in plan.diagnostics}


def box(server: Server) -> tuple[list[str], dict[str, Any]]:
    """The profiles of the machine, and its graphics card as Incus sees it in the end."""
    instance = server.instance("lab", "lab-box")
    return instance["profiles"], instance["expanded_devices"]["gpu"]


@pytest.mark.parametrize(
    "machine",
    [
        "gpu: {vendor: nvidia}",
        "profiles: [nvidia-compute]",
        "gpu: true, profiles: [nvidia-compute]",
    ],
)
def test_an_nvidia_card_for_a_container(server: Server, machine: str) -> None:
    server.apply(estate(machine))
    profiles, card = box(server)
    assert profiles == ["default", "nvidia-compute"]
    assert card == {"type": "gpu", "vendorid": "10de", "mode": "0666"}
    config = server.instance("lab", "lab-box")["expanded_config"]
    assert config["nvidia.runtime"] == "true"
    assert config["nvidia.driver.capabilities"] == "compute,utility"
    assert server.plan(estate(machine)).is_empty


def test_any_card_is_an_nvidia_one_when_the_computer_has_one(server: Server) -> None:
    server.apply(estate("gpu: true"))
    assert box(server)[0] == ["default", "nvidia-compute"]


def test_any_card_of_a_computer_without_nvidia(fake: FakeIncus, server: Server) -> None:
    fake.behaviour.computer.cards = [AMD]
    server.apply(estate("gpu: true"))
    profiles, card = box(server)
    assert profiles == ["default", "gpu-render"]
    assert card == {"type": "gpu", "mode": "0666"}
    kfd = server.instance("lab", "lab-box")["expanded_devices"]["kfd"]
    assert (kfd["source"], kfd["required"]) == ("/dev/kfd", "false")
    assert server.plan(estate("gpu: true")).is_empty


def test_a_card_by_its_address_and_one_by_its_maker(server: Server) -> None:
    server.apply(estate('gpu: {pci: "0000:03:00.0"}'))
    assert box(server) == (
        ["default", "gpu-render"],
        {"type": "gpu", "pci": "0000:03:00.0", "mode": "0666"},
    )
    server.apply(estate("gpu: {vendor: amd}"))
    assert box(server)[1] == {"type": "gpu", "vendorid": "1002", "mode": "0666"}


def test_a_vm_has_one_card_alone(server: Server) -> None:
    server.apply(estate(f"{VM}, gpu: {{vendor: amd}}"))
    profiles, card = box(server)
    assert "gpu-passthrough" in profiles
    assert card == {"type": "gpu", "gputype": "physical", "pci": "0000:03:00.0"}
    assert server.plan(estate(f"{VM}, gpu: {{vendor: amd}}")).is_empty


def test_another_card_for_a_vm_needs_a_restart_and_for_a_container_none(server: Server) -> None:
    vm = estate(f'{VM}, gpu: {{pci: "0000:03:00.0"}}')
    server.apply(vm)
    changed = change_of(server.plan(vm.replace("03:00", "01:00")), "instance:lab/box")
    assert changed.impact == "restart"
    server.destroy(vm)
    container = estate('gpu: {pci: "0000:03:00.0"}, profiles: [gpu-render]')
    server.apply(container)
    changed = change_of(server.plan(container.replace("03:00", "01:00")), "instance:lab/box")
    assert changed.impact == "live"


def test_the_profile_goes_with_the_last_machine_that_needs_it(server: Server) -> None:
    server.apply(estate("gpu: true"))
    server.apply(estate("memory: 1GiB"), prune=True)
    assert not server.exists("/profiles/nvidia-compute", "lab")


def test_the_computer_is_not_asked_for_cards_that_nobody_wants(server: Server) -> None:
    server.apply(estate("memory: 1GiB"))
    before = server.incus.reads
    assert server.plan(estate("memory: 1GiB")).is_empty
    without = server.incus.reads - before
    server.apply(estate("gpu: true"))
    before = server.incus.reads
    assert server.plan(estate("gpu: true")).is_empty
    assert server.incus.reads - before == without + 1


def test_a_computer_without_a_card(fake: FakeIncus, server: Server) -> None:
    fake.behaviour.computer.cards = []
    plan = server.plan(estate("gpu: true"))
    assert not plan.can_apply
    assert problems(plan)["no-gpu"] == (
        "lab/box is to have a graphics card. Incus sees none on this computer."
    )


def test_what_there_is_instead_is_told_with_drivers(server: Server) -> None:
    said = problems(server.plan(estate('gpu: {pci: "0000:09:00.0", vendor: intel}')))["no-gpu"]
    assert "the graphics card of intel at 0000:09:00.0" in said
    assert "GA104 [GeForce RTX 3070] at 0000:01:00.0 (nvidia 550.54.14)" in said
    assert "Navi 22 at 0000:03:00.0 (amdgpu 6.12.9)" in said


@pytest.mark.parametrize(
    ("driver", "says"),
    [
        ("", "has no driver"),
        ("vfio-pci", "kept for a virtual machine"),
        ("nouveau", "does not have NVIDIA's own driver"),
    ],
)
def test_a_container_needs_a_driver(
    fake: FakeIncus, server: Server, driver: str, says: str
) -> None:
    fake.behaviour.computer.cards = [{**NVIDIA, "driver": driver, "driver_version": ""}]
    plan = server.plan(estate("gpu: true"))
    assert not plan.can_apply
    assert says in problems(plan)["no-gpu-driver"]


def test_a_vm_wants_to_know_which_card(server: Server) -> None:
    said = problems(server.plan(estate(f"{VM}, gpu: true")))["which-gpu"]
    assert "0000:01:00.0" in said
    assert "0000:03:00.0" in said


def test_a_card_whose_group_holds_something_else(server: Server, sys: Path) -> None:
    group(sys, "0000:01:00.0", {"0000:05:00.0": "0x010802"})
    vm = estate(f"{VM}, gpu: {{vendor: nvidia}}")
    plan = server.plan(vm)
    assert not plan.can_apply
    assert "holds 0000:05:00.0 too" in problems(plan)["iommu-group-shared"]
    assert not problems(server.plan(vm.replace("nvidia", "amd")))


def test_a_computer_without_iommu_and_one_that_cannot_be_seen(
    server: ServerWithPci, tmp_path: Path
) -> None:
    vm = estate(f"{VM}, gpu: {{vendor: nvidia}}")
    server.pci = PciDevices(tmp_path / "nothing")
    assert not server.plan(vm).can_apply
    assert list(problems(server.plan(vm))) == ["no-iommu"]
    server.pci = None
    assert server.plan(vm).can_apply
    assert list(problems(server.plan(vm))) == ["iommu-not-measured"]


def test_a_card_that_a_container_lost_is_seen(fake: FakeWithInside, server: Server) -> None:
    server.apply(estate("gpu: {vendor: nvidia}"))
    fake.nodes |= {
        "/dev/nvidia0": "refused",
        "/dev/nvidia-uvm": "missing",
        "/dev/nvidiactl": "c3:fe",
    }
    change = change_of(server.plan(estate("gpu: {vendor: nvidia}")), "instance:lab/box")
    assert change.impact == "live"
    (field,) = change.fields
    assert field.before == (
        "/dev/nvidia0 cannot be opened, /dev/nvidiactl is device 195:254, the host's is 195:255, "
        "/dev/nvidia-uvm is missing"
    )
    fake.nodes |= {"/dev/nvidia0": "c3:0", "/dev/nvidia-uvm": "1f5:0", "/dev/nvidiactl": "c3:ff"}
    assert summary(server.plan(estate("gpu: {vendor: nvidia}"))) == {}


def test_cards_of_others_are_not_missed(fake: FakeWithInside, server: Server) -> None:
    server.apply(estate("gpu: {vendor: amd}"))
    fake.nodes = {"/dev/dri/card0": "e2:0", "/dev/dri/renderD128": "e2:80"}
    assert server.plan(estate("gpu: {vendor: amd}")).is_empty
