"""What a machine may take of the computer that carries it. Pure; used for the plan's comparison and by the doctor.

A declared machine and one that exists are read the same way: by the options and devices that count in the end, those of
its profiles included.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from freehold.model import Domain, Gpu, Infra, Machine, MachineType, Size
from freehold.model.virtual_machines import vm_profile

MIB = 1024**2
GIB = 1024**3
CONTAINER_MEMORY = 128 * MIB  # a Debian container at rest with something small in it
CONTAINER_DISK = GIB  # an unpacked Debian with Python, and room for its logs

# Incus's own for a VM without limits (doc/reference/instance_options; DefaultBlockSize in its storage drivers)
VM_CPUS = 1
VM_MEMORY = GIB
VM_DISK = 10 * GIB

ROOT = "root"
_UNITS = ((1024 * GIB, "TiB"), (GIB, "GiB"))
_CPU_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")

Value = TypeVar("Value")
Options = Mapping[str, str]
Devices = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a machine may take, in CPUs and bytes. `cpus` 0: a container without a limit.

    `disks` are the root disk (`root`) and the volumes by name, those whose size is known. `assumed` names what was guessed
    for want of a limit (`memory`, `disk`). `gpu` is the graphics card that it is to have.
    """

    is_vm: bool = False
    cpus: int = 0
    memory: int = 0
    disks: Mapping[str, int] = field(default_factory=dict)
    gpu: Gpu | None = None
    assumed: frozenset[str] = frozenset()

    @property
    def known_disks(self) -> Mapping[str, int]:
        """Those whose size was not guessed."""
        guessed = {ROOT} if "disk" in self.assumed else set()
        return {name: size for name, size in self.disks.items() if name not in guessed}

    @property
    def disk(self) -> int:
        """All its disks together."""
        return sum(self.disks.values())

    @property
    def vram(self) -> int:
        """The memory of a card that it needs."""
        return self.gpu.memory.bytes if self.gpu and self.gpu.memory else 0


def services_memory(infra: Infra, target: str) -> int:
    """What the services on a target take at rest, in bytes, those of which the catalog says it."""
    known = [each.descriptor.memory for each in infra.services if each.target == target]
    return sum(size.bytes for size in known if size is not None)


def machine_demand(domain: Domain, machine: Machine, services: int = 0) -> Demand:
    """That of a declared machine: its own keys, its options, its profiles' (a later profile wins).

    `services` are the bytes that services take in it: they count where nothing limits its memory.
    """
    named = [domain.profile(name) for name in machine.profiles]
    profiles = [profile for profile in (vm_profile(machine), *named) if profile]
    config = _merged([*(profile.config for profile in profiles), machine.config])
    devices = _merged([*(profile.devices for profile in profiles), machine.devices])
    if machine.cpu is not None:
        config["limits.cpu"] = str(machine.cpu)
    if machine.memory is not None:
        config["limits.memory"] = str(machine.memory)
    if machine.disk is not None:
        devices[ROOT] = {"type": "disk", "path": "/", "size": str(machine.disk)}
    volumes = {volume.name: volume.size.bytes for volume in machine.volumes if volume.size}
    is_vm = machine.type is MachineType.VM
    return demand_of(
        config, devices, is_vm=is_vm, volumes=volumes, gpu=machine.gpu, services=services
    )


def demand_of(
    config: Options,
    devices: Devices,
    *,
    is_vm: bool,
    volumes: Mapping[str, int] | None = None,
    gpu: Gpu | None = None,
    services: int = 0,
) -> Demand:
    """That of a machine with these options and devices, in which profiles are merged already.

    A share of the computer's memory (`50%`) says nothing in bytes: it counts as no limit.
    """
    cpus = cpu_count(config.get("limits.cpu", ""))
    memory = size_in_bytes(config.get("limits.memory", ""))
    root = size_in_bytes(_root_size(devices))
    return Demand(
        is_vm=is_vm,
        cpus=cpus or (VM_CPUS if is_vm else 0),
        memory=memory or (VM_MEMORY if is_vm else CONTAINER_MEMORY + services),
        disks={ROOT: root or (VM_DISK if is_vm else CONTAINER_DISK), **(volumes or {})},
        gpu=gpu,
        assumed=frozenset(
            name
            for name, limit in (("memory", memory), ("disk", root))
            if not limit and not is_vm  # a VM has Incus's own limits then
        ),
    )


def cpu_count(text: str) -> int:
    """How many CPUs `limits.cpu` means: a number, or a set such as `0-3,6`; 0 when it says nothing."""
    if text.isdecimal():
        return int(text)
    found = [_CPU_RANGE.fullmatch(part) for part in text.split(",")]
    if not text or not all(found):
        return 0
    ranges = [(int(each[1]), int(each[2] or each[1])) for each in found if each]
    return sum(max(0, last - first + 1) for first, last in ranges)


def size_in_bytes(text: str) -> int:
    """What Incus keeps as a size (`8GiB`, `32212254720`); 0 for what is none (`50%`, nothing)."""
    if text.isdecimal():
        return int(text)
    try:
        return Size.parse(text).bytes
    except ValueError:
        return 0


def amount(number: int) -> str:
    """Bytes for people: `128 MiB`, `3.2 GiB`, `4.0 TiB`."""
    for unit, name in _UNITS:
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number / MIB:.0f} MiB"


def _root_size(devices: Devices) -> str:
    roots = [each for each in devices.values() if each.get("path") == "/"]
    return roots[-1].get("size", "") if roots else ""


def _merged(layers: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    return {key: value for layer in layers for key, value in layer.items()}
