"""How machines get a graphics card: Freehold's own profiles, and the device of a machine that means one card. Pure.

Which profile fits depends on the machine (a vm has the card alone) and on the maker of the card, which infra.yml says or the
computer shows. Used by `built_in.py` and `instances.py`.
"""

from collections.abc import Sequence

from freehold.model import GpuProfile, GpuVendor, Infra, Machine, MachineType, Profile
from freehold.model.computer import Card
from freehold.providers.incus.cards import VENDOR_IDS, fitting
from freehold.providers.incus.device_nodes import is_gpu

DEVICE = "gpu"
_ANY_USER = "0666"
"""The group `render` has another number in each image, and Incus wants a number."""

_PROFILES = {
    GpuProfile.NVIDIA_COMPUTE: Profile(
        name=GpuProfile.NVIDIA_COMPUTE.value,
        description="NVIDIA cards, with the driver's libraries of the host",
        config={"nvidia.runtime": "true", "nvidia.driver.capabilities": "compute,utility"},
        devices={
            DEVICE: {"type": "gpu", "vendorid": VENDOR_IDS[GpuVendor.NVIDIA], "mode": _ANY_USER}
        },
    ),
    GpuProfile.RENDER: Profile(
        name=GpuProfile.RENDER.value,
        description="Cards with a render node (AMD, Intel), and /dev/kfd of AMD's ROCm where there is one",
        devices={
            DEVICE: {"type": "gpu", "mode": _ANY_USER},
            "kfd": {
                "type": "unix-char",
                "source": "/dev/kfd",
                "required": "false",
                "mode": _ANY_USER,
            },
        },
    ),
    GpuProfile.PASSTHROUGH: Profile(
        name=GpuProfile.PASSTHROUGH.value,
        description="A whole card, which the virtual machine has alone (vfio-pci)",
        devices={DEVICE: {"type": "gpu", "gputype": "physical"}},
    ),
}


def wants_card(infra: Infra) -> bool:
    """Whether a machine has a graphics card, by its own key or by a device of a profile."""
    devices = (d for domain in infra.domains for p in domain.profiles for d in p.devices.values())
    return any(machine.gpu for machine in infra.machines()) or any(map(is_gpu, devices))


def gpu_profile(machine: Machine, cards: Sequence[Card]) -> Profile | None:
    """The profile by which a machine gets its card, None for one without. One that it names itself comes first."""
    if machine.gpu is None:
        return None
    named = [profile for profile in GpuProfile if profile in machine.profiles]
    return _PROFILES[named[0] if named else _fitting_profile(machine, cards)]


def _fitting_profile(machine: Machine, cards: Sequence[Card]) -> GpuProfile:
    assert machine.gpu is not None
    if machine.type is MachineType.VM:
        return GpuProfile.PASSTHROUGH
    vendors = {machine.gpu.vendor} if machine.gpu.vendor else _vendors(machine, cards)
    return GpuProfile.NVIDIA_COMPUTE if GpuVendor.NVIDIA in vendors else GpuProfile.RENDER


def _vendors(machine: Machine, cards: Sequence[Card]) -> set[str]:
    assert machine.gpu is not None
    return {card.vendor for card in fitting(machine.gpu, cards)}


def gpu_devices(machine: Machine, cards: Sequence[Card]) -> dict[str, dict[str, str]]:
    """The machine's own device, which stands for the profile's; none where that one is right as it is.

    A vm has one card, so where several fit the check in `gpu_obstacles.py` asks which.
    """
    profile = gpu_profile(machine, cards)
    if machine.gpu is None or profile is None:
        return {}
    device = dict(profile.devices[DEVICE])
    card = machine.gpu.pci or _only_card(machine, cards)
    if card is not None:
        device.pop("vendorid", None)  # Incus takes either
        device["pci"] = card
    elif machine.gpu.vendor is not None:
        device["vendorid"] = VENDOR_IDS[machine.gpu.vendor]
    return {DEVICE: device} if device != profile.devices[DEVICE] else {}


def _only_card(machine: Machine, cards: Sequence[Card]) -> str | None:
    assert machine.gpu is not None
    found = fitting(machine.gpu, cards) if machine.type is MachineType.VM else []
    return found[0].pci if len(found) == 1 else None
