"""Whether this computer can run virtual machines, and what exactly is missing. Called by `examine`.

Each obstacle comes with its own remedy. What Incus itself found out stands in `GET /1.0`: it looks once, when it starts.
"""

import platform
from collections.abc import Iterator
from dataclasses import dataclass

from freehold.operations.doctor.finding import Finding, error, ok, warning
from freehold.operations.doctor.needs import needs_of
from freehold.operations.doctor.subject import Subject

_FOLDERS = ("/usr/bin", "/usr/local/bin", "/usr/libexec", "/opt/incus/bin")
_DRIVE_MAKERS = ("mkisofs", "genisoimage")  # incusd looks for the two in this order
# Where Debian, Fedora, Arch and Zabbly's packages put the firmware that starts virtual machines.
_FIRMWARE = {
    "x86_64": (
        "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd",
        "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/opt/incus/share/qemu/OVMF_CODE.4MB.fd",
    ),
    "aarch64": (
        "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/edk2/aarch64/QEMU_EFI.fd", "/opt/incus/share/qemu/OVMF_CODE.4MB.fd",
    ),
}  # fmt: skip
_PACKAGES = {
    "x86_64": ("qemu-system-x86", "ovmf"),
    "aarch64": ("qemu-system-arm", "qemu-efi-aarch64"),
}  # of Debian and Ubuntu
_INTEL, _AMD = "vmx", "svm"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What is missing, as a part of a sentence, and what to do about it."""

    what: str
    remedy: str


def virtual_machines(subject: Subject) -> Finding:
    """Whether virtual machines can run, and the estate wants any. Raises NotMeasured when Incus does not answer."""
    has_qemu = "qemu" in str(subject.incus("")["environment"].get("driver", ""))
    found = list(_obstacles(subject, platform.machine()))
    if not found and not has_qemu:
        found = [_not_seen(subject)]
    if not found:
        return ok("Virtual machines can run.")
    needs = needs_of(subject.infra)
    detail = f"Virtual machines cannot run: {'; '.join(each.what for each in found)}."
    remedy = "\n".join(each.remedy for each in found)
    if needs.virtual_machines:
        return error(f"{detail} infra.yml wants {needs.virtual_machines}.", remedy)
    if needs.known:
        return ok(f"{detail} infra.yml wants none.")
    return warning(f"{detail} Containers can.", remedy)


def _obstacles(subject: Subject, machine: str) -> Iterator[Obstacle]:
    """What stands in the way, from the processor up."""
    if not subject.exists("/dev/kvm"):
        yield _no_kvm(subject, machine)
    if not subject.exists("/dev/vhost-vsock"):
        yield _no_vsock(subject)
    yield from _missing_programs(subject, machine)


def _no_kvm(subject: Subject, machine: str) -> Obstacle:
    flags = (subject.text("/proc/cpuinfo") or "").split()
    part = {_INTEL: "kvm_intel", _AMD: "kvm_amd"}
    shown = next((part[flag] for flag in part if flag in flags), None)
    if shown is None and machine == "x86_64":
        return Obstacle(
            "the processor offers no virtualisation (vmx, svm)",
            "Switch it on in the firmware (VT-x, AMD-V or SVM mode); for a virtual machine, ask whoever runs it for "
            "nested virtualisation.",
        )
    return Obstacle(
        "there is no /dev/kvm",
        f"Load the kernel's part:\n    sudo modprobe {shown or 'kvm'}\n"
        "If that is refused, virtualisation is switched off in the firmware.",
    )


def _no_vsock(subject: Subject) -> Obstacle:
    release = (subject.text("/proc/sys/kernel/osrelease") or "").strip()
    known = [
        subject.text(f"/lib/modules/{release}/modules.{kind}") or "" for kind in ("dep", "builtin")
    ]
    if any(known) and not any("/vhost_vsock.ko" in text for text in known):
        return Obstacle(
            f"this kernel ({release}) has no vhost_vsock, by which Incus speaks with the agent",
            "Start a kernel with CONFIG_VHOST_VSOCK, such as the distribution's own.",
        )
    return Obstacle(
        "there is no /dev/vhost-vsock, by which Incus speaks with the agent",
        "Load the kernel's part, now and at every start:\n    sudo modprobe vhost_vsock\n"
        "    echo vhost_vsock | sudo tee /etc/modules-load.d/vhost_vsock.conf",
    )


def _missing_programs(subject: Subject, machine: str) -> Iterator[Obstacle]:
    packages = _PACKAGES.get(machine)
    if packages is None:  # where its files would be is not known
        return
    qemu, firmware = packages
    if not _has_program(subject, f"qemu-system-{machine}"):
        yield Obstacle(f"there is no qemu-system-{machine}", _install(qemu))
    if not any(subject.exists(path) for path in _FIRMWARE[machine]):
        yield Obstacle("there is no UEFI firmware to start them with", _install(firmware))
    if not any(_has_program(subject, name) for name in _DRIVE_MAKERS):
        yield Obstacle(
            "there is no mkisofs, by which Incus makes the drive of the agent",
            _install("genisoimage"),
        )


def _has_program(subject: Subject, name: str) -> bool:
    return any(subject.exists(f"{folder}/{name}") for folder in _FOLDERS)


def _install(package: str) -> str:
    return f"Install it, then let Incus look again:\n    sudo apt install {package}\n    {_AGAIN}"


def _not_seen(subject: Subject) -> Obstacle:
    if subject.in_lab:
        again = "freehold lab stop\n    freehold lab start"
        log = "Why it finds none stands in `incusd.log` in the lab's folder."
    else:
        again = _AGAIN
        log = (
            "Why it finds none stands in its log:\n    sudo journalctl --unit incus | grep -i qemu"
        )
    return Obstacle(
        "all that they need is here, but Incus has found no QEMU that works",
        f"It looks when it starts, so let it look again:\n    {again}\n{log}",
    )


_AGAIN = "sudo systemctl restart incus"
