"""Incus options in `config`: not Freehold's own, not said twice, known to the server, fit for the type."""

from collections.abc import Iterator, Mapping

from freehold.config.checks.context import Context
from freehold.config.document import DomainPart, MachinePart
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model import MachineType

_MANAGED = {
    "volatile.": "Incus keeps its own notes there",
    "image.": "Incus notes there what the image is",
    "user.freehold.": "Freehold marks there what is its own",
}
_KEYS = (
    ("cpu", "limits.cpu"), ("memory", "limits.memory"), ("secure_boot", "security.secureboot"),
)  # fmt: skip
"""Keys of a machine, and the options that they become."""

_CONTAINER_ONLY = (
    "limits.cpu.allowance", "limits.cpu.priority", "limits.hugepages.", "limits.kernel.",
    "limits.memory.enforce", "limits.memory.swap", "limits.processes", "linux.kernel_modules",
    "linux.sysctl.", "migration.incremental.memory", "nvidia.", "raw.idmap", "raw.lxc", "raw.seccomp",
    "security.guestapi.images", "security.idmap.", "security.nesting", "security.privileged",
    "security.protection.shift", "security.syscalls.",
)  # fmt: skip
_VM_ONLY = (
    "agent.nic_config", "limits.memory.hugepages", "raw.qemu", "security.agent.metrics", "security.csm",
    "security.iommu", "security.secureboot", "security.sev",
)  # fmt: skip
"""Conditions of the options, from the metadata of Incus 6.0 (GET /1.0/metadata/configuration)."""


def managed_options(context: Context) -> Iterator[Diagnostic]:
    """Options that only Incus or Freehold writes."""
    for path, config in _configs(context):
        for key in config:
            reason = next((why for start, why in _MANAGED.items() if key.startswith(start)), None)
            if reason:
                yield context.at_key((*path, key), "managed-key", f"`{key}`: {reason}.")


def options_said_twice(context: Context) -> Iterator[Diagnostic]:
    """`cpu` and `limits.cpu`, `memory` and `limits.memory`, `secure_boot` and `security.secureboot` of one machine."""
    for path, _, machine in context.machines():
        for key, option in _KEYS:
            if getattr(machine, key) is not None and option in machine.config:
                detail = (
                    f"`{key}` ({context.line((*path, key))}) and `{option}` set the same thing."
                )
                hint = f"Keep `{key}`, remove `{option}`."
                yield context.at_key((*path, "config", option), "conflicting-keys", detail, hint)


def known_options(context: Context) -> Iterator[Diagnostic]:
    """Against what the server knows; without a server this check is silent."""
    known = context.known_config
    if known is None:
        return
    for path, config in _configs(context):
        for key in config:
            if not known.is_known(key):
                hint = did_you_mean(key, known.exact)
                yield context.at_key((*path, key), "unknown-config-key", f"`{key}` is none.", hint)


def options_of_other_type(context: Context) -> Iterator[Diagnostic]:
    """Options for containers on a vm and the other way round; also by way of profiles."""
    for path, domain, machine in context.machines():
        for where, key in _options_of(path, domain, machine):
            other = MachineType.VM if key.startswith(_VM_ONLY) else MachineType.CONTAINER
            special = key.startswith(_CONTAINER_ONLY) or key.startswith(_VM_ONLY)
            if (
                special
                and machine.type is not other
                and context.understood((*path, "type"), machine)
            ):
                kind = {"vm": "virtual machines", "container": "containers"}[other.value]
                detail = (
                    f"`{key}` is for {kind} only; {path[1]}/{path[3]} is a {machine.type.value}."
                )
                yield context.at_key(where, "wrong-machine-type", detail)


def _options_of(
    path: KeyPath, domain: DomainPart, machine: MachinePart
) -> Iterator[tuple[KeyPath, str]]:
    for key in machine.config:
        yield (*path, "config", key), key
    for index, name in enumerate(machine.profiles):
        profile = domain.profiles.get(name)
        for key in profile.config if profile else ():
            yield (*path, "profiles", index), key


def _configs(context: Context) -> Iterator[tuple[KeyPath, Mapping[str, str]]]:
    for path, _, machine in context.machines():
        if machine.config:
            yield (*path, "config"), machine.config
    for path, profile in context.profiles():
        yield (*path, "config"), profile.config
