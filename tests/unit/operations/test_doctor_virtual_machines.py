"""What the doctor says of a computer that is to run virtual machines: each obstacle, and what to do about it."""

from dataclasses import replace
from pathlib import Path

import pytest

from freehold.model import Infra, MachineType
from freehold.operations.doctor import Finding, Result, Subject
from freehold.operations.doctor import virtual_machines as checks
from tests.unit.operations.estates import estate
from tests.unit.operations.incus_server import incus_server

pytestmark = pytest.mark.allow("connection")

COMPLETE = {
    "dev/kvm": "",
    "dev/vhost-vsock": "",
    "usr/bin/qemu-system-x86_64": "",
    "usr/bin/genisoimage": "",
    "usr/share/OVMF/OVMF_CODE_4M.fd": "",
    "proc/cpuinfo": "flags\t\t: fpu sse svm\n",
    "proc/sys/kernel/osrelease": "6.1.0-50-amd64\n",
    "lib/modules/6.1.0-50-amd64/modules.dep": "kernel/drivers/vhost/vhost_vsock.ko: kernel/net/vsock.ko\n",
}


@pytest.fixture(autouse=True)
def a_pc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of a computer on which nothing is missing."""
    for name, text in COMPLETE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def with_vm() -> Infra:
    containers = estate([1])
    domain = containers.domains[0]
    vm = replace(domain.machines[0], type=MachineType.VM)
    return replace(containers, domains=(replace(domain, machines=(vm,)),))


def look(
    root: Path, *, driver: str = "lxc", infra: Infra | None = None, in_lab: bool = False
) -> Finding:
    path = root / "incus.socket"
    path.unlink(missing_ok=True)
    with incus_server(path, {"/1.0": {"auth": "trusted", "environment": {"driver": driver}}}):
        return checks.virtual_machines(
            Subject(socket=path, state=root, root=root, infra=infra, in_lab=in_lab)
        )


def test_a_computer_with_all_of_it_runs_them(root: Path) -> None:
    assert look(root, driver="lxc | qemu", infra=with_vm()).result is Result.OK


@pytest.mark.parametrize(
    ("missing", "what", "remedy"),
    [
        ("dev/kvm", "there is no /dev/kvm", "sudo modprobe kvm_amd"),
        ("dev/vhost-vsock", "there is no /dev/vhost-vsock", "sudo modprobe vhost_vsock"),
        ("usr/bin/qemu-system-x86_64", "no qemu-system-x86_64", "sudo apt install qemu-system-x86"),
        ("usr/share/OVMF/OVMF_CODE_4M.fd", "no UEFI firmware", "sudo apt install ovmf"),
        ("usr/bin/genisoimage", "no mkisofs", "sudo apt install genisoimage"),
    ],
)
def test_each_obstacle_has_its_own_remedy(root: Path, missing: str, what: str, remedy: str) -> None:
    (root / missing).unlink()
    found = look(root, infra=with_vm())
    assert found.result is Result.ERROR
    assert what in found.detail
    assert remedy in (found.remedy or "")
    others = {"modprobe kvm", "modprobe vhost", "install qemu", "install ovmf", "install genis"}
    assert [each for each in others if each in (found.remedy or "")] == [
        each for each in others if each in remedy
    ]


def test_a_processor_without_virtualisation_is_told_from_a_kernel_without_it(root: Path) -> None:
    (root / "dev/kvm").unlink()
    (root / "proc/cpuinfo").write_text("flags\t\t: fpu sse\n")
    found = look(root)
    assert "the processor offers no virtualisation" in found.detail
    assert "nested virtualisation" in (found.remedy or "")
    assert "modprobe" not in (found.remedy or "")


def test_a_kernel_that_was_built_without_vsock_needs_another_kernel(root: Path) -> None:
    (root / "dev/vhost-vsock").unlink()
    (root / "lib/modules/6.1.0-50-amd64/modules.dep").write_text("kernel/net/vsock.ko:\n")
    found = look(root)
    assert "this kernel (6.1.0-50-amd64) has no vhost_vsock" in found.detail
    assert "modprobe" not in (found.remedy or "")


def test_incus_looks_only_when_it_starts(root: Path) -> None:
    found = look(root, driver="lxc", infra=with_vm())
    assert found.result is Result.ERROR
    assert "Incus has found no QEMU" in found.detail
    assert "sudo systemctl restart incus" in (found.remedy or "")
    in_lab = look(root, driver="lxc", infra=with_vm(), in_lab=True)
    assert "freehold lab stop" in (in_lab.remedy or "")


def test_they_matter_only_where_they_are_wanted(root: Path) -> None:
    (root / "dev/kvm").unlink()
    assert look(root, infra=estate([1])).result is Result.OK
    assert look(root, infra=with_vm()).result is Result.ERROR
    assert look(root).result is Result.WARNING
