"""A virtual machine that really runs, made by `freehold apply` beside a container of its domain.

The computer that carries it is emulated, so this takes a quarter of an hour and more; the tests stand in the order in which
they happen to the same estate.
"""

import json

import pytest

from tests.vm.computer import Computer
from tests.vm.payload import FREEHOLD

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(7200)]

ESTATE = """\
freehold: 1
name: ground
domains:
  den:
    subnet_id: 4
    machines:
      box: {ip: 10.100.4.10, image: debian/13}
      vm:
        type: vm
        image: debian/12-vm
        ip: 10.100.4.20
        cpu: 1
        memory: 512MiB
        disk: 2GiB
        secure_boot: false
        boot_timeout: 30m
        config: {security.csm: true}
        provision:
          files: [{src: files/greeting, dest: /etc/greeting, mode: "0640"}]
"""
"""`security.csm`: started by a BIOS, for UEFI brings the emulation down."""


def freehold(host: Computer, arguments: str) -> str:
    """What it prints; on the computer's console too, so that one sees how far it came."""
    keep = "{ " + f"{FREEHOLD} {arguments} 2>&1; echo $? >/root/code; " + "} | tee /dev/ttyS0"
    return host.succeed(f"cd /root/estate && {keep}; exit $(cat /root/code)", seconds=2700)


def inside(host: Computer, command: str) -> str:
    """What a command in the virtual machine prints, by its agent."""
    return host.succeed(f"incus exec --project den den-vm -- {command}")


@pytest.fixture(scope="module")
def estate(host: Computer) -> Computer:
    """The computer, with the estate applied."""
    host.succeed("mkdir -p /root/estate/files")
    host.guest.write("/root/estate/infra.yml", ESTATE.encode())
    host.guest.write("/root/estate/files/greeting", b"made by Freehold\n")
    freehold(host, "apply --yes")
    return host


def test_the_doctor_says_that_virtual_machines_can_run(host: Computer) -> None:
    said = json.loads(host.run(f"{FREEHOLD} doctor --json").output)
    found = {check["name"]: check for check in said["checks"]}["virtual machines"]
    assert (found["result"], found["detail"]) == ("ok", "Virtual machines can run.")


def test_the_machine_is_a_virtual_one_with_the_profile_of_all(estate: Computer) -> None:
    listed = json.loads(estate.succeed("incus list --project den --format json"))
    machines = {each["name"]: each for each in listed}
    assert {name: (each["type"], each["status"]) for name, each in machines.items()} == {
        "den-box": ("container", "Running"),
        "den-vm": ("virtual-machine", "Running"),
    }
    assert machines["den-vm"]["profiles"] == ["default", "vm"]
    assert machines["den-vm"]["expanded_devices"]["agent"]["source"] == "agent:config"


def test_its_agent_shows_its_own_kernel_and_its_declared_address(estate: Computer) -> None:
    kernel = inside(estate, "uname -r")
    assert "cloud" in kernel
    assert kernel != estate.succeed("uname -r")
    assert "10.100.4.20/24" in inside(estate, "ip -4 -o address")


def test_container_and_vm_of_a_domain_reach_each_other(estate: Computer) -> None:
    estate.succeed("incus exec --project den den-box -- ping -c 1 -W 10 10.100.4.20")


def test_what_provision_lists_is_inside(estate: Computer) -> None:
    assert inside(estate, "cat /etc/greeting") == "made by Freehold\n"
    assert inside(estate, "stat -c %a /etc/greeting") == "640\n"


def test_a_second_apply_has_nothing_to_do(estate: Computer) -> None:
    assert "Nothing to do" in freehold(estate, "apply --yes")


def test_a_snapshot_brings_back_what_was(estate: Computer) -> None:
    inside(estate, "sh -c 'echo before >/root/note'")
    freehold(estate, "snapshot create den/vm --name before --yes")
    inside(estate, "sh -c 'echo after >/root/note && sync'")
    freehold(estate, "snapshot restore den/vm --name before --yes --confirm den/vm")
    assert inside(estate, "cat /root/note") == "before\n"
    assert "10.100.4.20/24" in inside(estate, "ip -4 -o address")
