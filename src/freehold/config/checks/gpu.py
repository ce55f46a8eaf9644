"""Who has the GPU: as many machines as `gpu.policy` allows, none beside a vm, and profiles that fit the machine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from freehold.config.checks.context import Context, key_of
from freehold.config.document import DomainPart, MachinePart
from freehold.config.gpu import gpu_of, is_built_in
from freehold.config.places import KeyPath, PlacedMap
from freehold.diagnostics import Diagnostic
from freehold.model import Gpu, GpuPolicy, GpuProfile, GpuVendor, MachineType

_VENDOR_IDS = {"10de": GpuVendor.NVIDIA, "1002": GpuVendor.AMD, "8086": GpuVendor.INTEL}


@dataclass(frozen=True, slots=True)
class _Holder:
    """A machine with a GPU: its path, the place that gives it one, and which card."""

    path: KeyPath
    where: KeyPath
    gpu: Gpu
    is_vm: bool

    def may_share_with(self, other: "_Holder") -> bool:
        """Whether it can be the same card: two addresses, or two makers, are two cards."""
        mine, its = self.gpu, other.gpu
        if mine.pci and its.pci:
            return mine.pci == its.pci
        return not (mine.vendor and its.vendor) or mine.vendor is its.vendor


def gpu_machines(context: Context) -> Iterator[Diagnostic]:
    """One machine for each card under `exclusive`; a warning for more under `shared`."""
    if not context.understood(("gpu", "policy"), context.document.gpu):
        return
    holders = list(_holders(context))
    if context.document.gpu.policy is GpuPolicy.SHARED:
        code, pairs = "gpu-shared", _pairs(holder for holder in holders if not holder.is_vm)
    else:
        code, pairs = "second-gpu-machine", _pairs(holders)
    for holder, first in pairs:
        yield context.at(holder.where, code, _both(context, holder, first))


def passed_through(context: Context) -> Iterator[Diagnostic]:
    """A card that a vm has is gone from the computer, so no policy shares it."""
    if context.document.gpu.policy is not GpuPolicy.SHARED:
        return  # every second machine is an error then
    for holder, first in _pairs(_holders(context), with_vm=True):
        vm = first if first.is_vm else holder
        detail = f"{_both(context, holder, first)} {key_of(vm.path)} is a vm."
        yield context.at(holder.where, "gpu-passed-through", detail)


def gpu_profiles(context: Context) -> Iterator[Diagnostic]:
    """Freehold's own profiles: one at most, fit for the type of machine, and saying what `gpu` says."""
    for path, _, machine in context.machines():
        named = [(index, name) for index, name in enumerate(machine.profiles) if is_built_in(name)]
        for index, name in named:
            here = (*path, "profiles", index)
            yield from _wrong_type(context, path, here, machine, GpuProfile(name))
            yield from _contradicted(context, path, here, machine, GpuProfile(name))
        for index, name in named[1:]:
            if name != (first := named[0][1]):
                detail = f"`{first}` and `{name}` both give the machine its GPU."
                yield context.at((*path, "profiles", index), "conflicting-keys", detail)


def _wrong_type(
    context: Context, path: KeyPath, here: KeyPath, machine: MachinePart, profile: GpuProfile
) -> Iterator[Diagnostic]:
    for_vms = profile is GpuProfile.PASSTHROUGH
    if for_vms is not (machine.type is MachineType.VM) and context.understood(
        (*path, "type"), machine
    ):
        kind = "virtual machines" if for_vms else "containers"
        detail = f"`{profile.value}` is for {kind} only; {key_of(path)} is a {machine.type.value}."
        yield context.at(here, "wrong-machine-type", detail)


def _contradicted(
    context: Context, path: KeyPath, here: KeyPath, machine: MachinePart, profile: GpuProfile
) -> Iterator[Diagnostic]:
    vendor = machine.gpu.vendor if machine.gpu else None
    if vendor is None or profile is GpuProfile.PASSTHROUGH:
        return
    if (vendor is GpuVendor.NVIDIA) is not (profile is GpuProfile.NVIDIA_COMPUTE):
        line = context.line((*path, "gpu", "vendor"))
        detail = f"`{profile.value}` is not for cards of `vendor: {vendor.value}` ({line})."
        hint = f"Keep `gpu`, remove `{profile.value}`: the profile that fits is taken by itself."
        yield context.at(here, "conflicting-keys", detail, hint)


def _pairs(
    holders: Iterable[_Holder], *, with_vm: bool = False
) -> Iterator[tuple[_Holder, _Holder]]:
    """Every machine that may have the card of one before it, with the first of those; `with_vm`: if one is a vm."""
    told: set[KeyPath] = set()
    for first, holder in combinations(holders, 2):
        if holder.path in told or (with_vm and not (first.is_vm or holder.is_vm)):
            continue
        if holder.may_share_with(first):
            told.add(holder.path)
            yield holder, first


def _holders(context: Context) -> Iterator[_Holder]:
    for path, domain, machine in context.machines():
        found = _holding(path, domain, machine)
        if found and _is_understood(context, path, machine):
            yield _Holder(path, *found, machine.type is MachineType.VM)


def _is_understood(context: Context, path: KeyPath, machine: MachinePart) -> bool:
    """Whether it is known which card is meant; if not, what is wrong has been said."""
    if machine.gpu is None or not isinstance(context.tree.get((*path, "gpu")), PlacedMap):
        return True
    return all(context.understood((*path, "gpu", key), machine.gpu) for key in ("pci", "vendor"))


def _holding(path: KeyPath, domain: DomainPart, machine: MachinePart) -> tuple[KeyPath, Gpu] | None:
    """By its own key, by one of Freehold's profiles, or by one of its domain's with such a device."""
    if machine.gpu is not None:
        gpu = gpu_of(machine.gpu, machine.profiles)
        return ((*path, "gpu"), gpu) if gpu else None
    for index, name in enumerate(machine.profiles):
        here = (*path, "profiles", index)
        if gpu := gpu_of(None, [name]):
            return here, gpu
        profile = domain.profiles.get(name)
        for device in profile.devices.values() if profile else ():
            if device.get("type") == "gpu":
                vendor = _VENDOR_IDS.get(device.get("vendorid", ""))
                return here, Gpu(pci=device.get("pci"), vendor=vendor)
    return None


def _both(context: Context, holder: _Holder, first: _Holder) -> str:
    line = context.line(first.where)
    return f"{key_of(holder.path)} and {key_of(first.path)} ({line}) both have the GPU."
