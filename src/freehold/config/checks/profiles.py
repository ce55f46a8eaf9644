"""Profiles that machines name, and the devices that profiles hold."""

from collections.abc import Iterator

from freehold.config.checks.context import Context, suggestion
from freehold.config.schema_errors import missing_key
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.gpu import GpuProfile
from freehold.model.virtual_machines import VM_PROFILE

_DEVICE_TYPES = frozenset({
    "disk", "gpu", "infiniband", "nic", "none", "pci", "proxy", "tpm", "unix-block", "unix-char",
    "unix-hotplug", "usb",
})  # fmt: skip
"""Incus's device types (doc/reference/devices)."""

MANAGED_DEVICES = frozenset({"root", "eth0"})

_WITHOUT_NAMING = {"default": "machine", VM_PROFILE.name: "vm"}

BUILT_IN = frozenset({*GpuProfile})
"""Profiles that machines may name although no domain defines them."""


def named_profiles(context: Context) -> Iterator[Diagnostic]:
    """Each exists in the machine's own domain and is named once."""
    for path, _, machine in context.machines():
        if not machine.profiles:
            continue
        seen: set[str] = set()
        for index, name in enumerate(machine.profiles):
            here = (*path, "profiles", index)
            if name in seen:
                yield context.at(
                    here, "duplicate-profile", f"`{name}` stands further ahead already."
                )
            elif name in _WITHOUT_NAMING:
                detail = (
                    f"Every {_WITHOUT_NAMING[name]} has the profile `{name}` without naming it."
                )
                yield context.at(here, "managed-key", detail)
            elif name not in BUILT_IN and not context.tree.has((*path[:2], "profiles", name)):
                yield _unknown(context, here, name)
            seen.add(name)


def devices(context: Context) -> Iterator[Diagnostic]:
    """Each has a type that Incus knows, and is not one that Freehold makes."""
    for path, profile in context.profiles():
        for name, device in profile.devices.items():
            here = (*path, "devices", name)
            if name in MANAGED_DEVICES:
                detail = (
                    f"The device `{name}` (root disk, network) is made from the machine's own keys."
                )
                yield context.at_key(here, "managed-key", detail)
            elif "type" not in device and not context.tree.has((*here, "type")):
                yield missing_key(context.tree, (*here, "type"), "Add for example `type: disk`.")
            elif device.get("type", "disk") not in _DEVICE_TYPES:
                kind = device["type"]
                hint = did_you_mean(kind, _DEVICE_TYPES)
                yield context.at((*here, "type"), "unknown-device-type", f"`{kind}` is none.", hint)


def _unknown(context: Context, path: tuple[str | int, ...], name: str) -> Diagnostic:
    detail = f"Domain `{path[1]}` has no profile `{name}`."
    hint = suggestion(name, context.tree.names((*path[:2], "profiles")))
    return context.at(path, "unknown-profile", detail, hint)
