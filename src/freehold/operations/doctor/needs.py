"""What an estate asks of the computer that carries it, in numbers. Pure; used by the checks that compare."""

from contextlib import suppress
from dataclasses import dataclass

from freehold.model import Infra, Machine, MachineType, Size

MIB = 1024**2
GIB = 1024**3
CONTAINER_MEMORY = 128 * MIB  # a Debian container at rest with something small in it
VM_MEMORY = GIB  # Incus's own default: doc/reference/instance_options, limits.memory
MACHINE_DISK = GIB  # an unpacked Debian with Python, and room for its logs
ASSUMED_MACHINES = 10  # what is compared with when there is no infra.yml


@dataclass(frozen=True, slots=True)
class Needs:
    """`memory`, `disk`: bytes when every machine takes all that infra.yml grants it. `known`: infra.yml was read."""

    known: bool
    machines: int
    virtual_machines: int
    memory: int
    disk: int

    @property
    def whose(self) -> str:
        """`4 machines`, for sentences."""
        if not self.known:
            return f"an estate of {self.machines} machines"
        return f"{self.machines} machine{'' if self.machines == 1 else 's'}"


def needs_of(infra: Infra | None) -> Needs:
    """The needs of the estate, or of an assumed one when there is no infra.yml."""
    if infra is None:
        count = ASSUMED_MACHINES
        return Needs(False, count, 0, count * CONTAINER_MEMORY, count * MACHINE_DISK)
    machines = list(infra.machines())
    vms = [machine for machine in machines if machine.type is MachineType.VM]
    memory = disk = 0
    for machine in machines:
        memory += _memory(infra, machine)
        disk += machine.disk.bytes if machine.disk else MACHINE_DISK
        disk += sum(volume.size.bytes for volume in machine.volumes if volume.size)
    return Needs(True, len(machines), len(vms), memory, disk)


def _memory(infra: Infra, machine: Machine) -> int:
    """What the machine may take: its own limit, else its last profile's that has one (a later profile wins)."""
    if machine.memory:
        return machine.memory.bytes
    domain = infra.domain(machine.domain)
    profiles = [domain.profile(name) for name in machine.profiles] if domain else []
    limits = [profile.config.get("limits.memory") for profile in profiles if profile]
    for text in (machine.config.get("limits.memory"), *reversed(limits)):
        with suppress(ValueError):  # a percentage of the computer's memory says nothing in bytes
            return Size.parse(text or "").bytes
    return VM_MEMORY if machine.type is MachineType.VM else CONTAINER_MEMORY


def gib(amount: int) -> str:
    """Bytes as `3.2 GiB`."""
    return f"{amount / GIB:.1f} GiB"
