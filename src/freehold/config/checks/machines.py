"""What a machine needs to run (a vm's memory), what only a vm has, and what type steers the estate."""

from collections.abc import Iterator

from freehold.config.checks.context import Context, key_of
from freehold.config.document import DomainPart, MachinePart
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic
from freehold.model import MachineType, Size

SMALLEST_VM_MEMORY = 512 * 1024 * 1024  # bytes; Debian's installation guide, section 3.4


def vm_memory(context: Context) -> Iterator[Diagnostic]:
    """Memory declared for a vm, by its own key, its config or a profile, is enough for a kernel and the agent."""
    for path, domain, machine in context.machines():
        if machine.type is not MachineType.VM:
            continue
        where, size = _memory(path, domain, machine)
        if size is not None and size.bytes < SMALLEST_VM_MEMORY:
            detail = f"{key_of(path)} is a vm with {size} of memory; 512MiB is the least."
            yield context.at(where, "vm-too-small", detail)


def secure_boot(context: Context) -> Iterator[Diagnostic]:
    """Only a vm has firmware."""
    for path, _, machine in context.machines():
        is_known = context.understood((*path, "type"), machine)
        if machine.secure_boot is not None and machine.type is MachineType.CONTAINER and is_known:
            detail = f"`secure_boot` is for virtual machines only; {key_of(path)} is a container."
            yield context.at_key((*path, "secure_boot"), "wrong-machine-type", detail)


def control_machines(context: Context) -> Iterator[Diagnostic]:
    """The estate is steered from containers."""
    for path, _, machine in context.machines():
        if machine.control and machine.type is MachineType.VM:
            detail = f"{key_of(path)} is a vm and has `control: true`."
            yield context.at((*path, "control"), "control-vm", detail)


def _memory(path: KeyPath, domain: DomainPart, machine: MachinePart) -> tuple[KeyPath, Size | None]:
    """The memory that counts: the machine's key, then its config, then the last profile that says."""
    if machine.memory is not None:
        return (*path, "memory"), machine.memory
    if "limits.memory" in machine.config:
        return (*path, "config", "limits.memory"), _size(machine.config["limits.memory"])
    for index, name in reversed(list(enumerate(machine.profiles))):
        profile = domain.profiles.get(name)
        if profile and "limits.memory" in profile.config:
            return (*path, "profiles", index), _size(profile.config["limits.memory"])
    return path, None


def _size(text: str) -> Size | None:
    try:
        return Size.parse(text) if len(text) < 20 else None
    except ValueError:  # a percentage: Incus allows it, nothing can be said here
        return None
