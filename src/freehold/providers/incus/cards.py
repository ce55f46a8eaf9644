"""The graphics cards of a computer, as Incus's `GET /1.0/resources` lists them. Pure.

Used by `gpu.py` and `gpu_obstacles.py`, and by whatever else wants to know what the computer has.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from freehold.model import Gpu, GpuVendor
from freehold.model.computer import Card

VENDOR_IDS = {GpuVendor.NVIDIA: "10de", GpuVendor.AMD: "1002", GpuVendor.INTEL: "8086"}
"""As the PCI ID repository numbers them, and as Incus's `vendorid` takes them."""

PASSED_THROUGH = "vfio-pci"
"""The driver of a card that a virtual machine has, or that is kept for one."""

NVIDIA_DRIVER = "nvidia"
_VENDORS = {number: vendor.value for vendor, number in VENDOR_IDS.items()}
_NVIDIA_CONTROL = {"/dev/nvidiactl": "195:255", "/dev/nvidia-uvm": ""}
"""Of no card, and needed for each. NVIDIA's driver numbers the second one when it is loaded."""


def cards_of(resources: Mapping[str, Any]) -> tuple[Card, ...]:
    """The cards in the order of their PCI addresses; Incus tells nothing of their memory."""
    listed = (resources.get("gpu") or {}).get("cards") or ()
    cards = (_card(raw) for raw in listed if raw.get("pci_address"))
    return tuple(sorted(cards, key=lambda card: card.pci))


def fitting(gpu: Gpu, cards: Iterable[Card]) -> list[Card]:
    """The cards that a machine may mean."""
    return [card for card in cards if gpu.means(card)]


def _card(raw: Mapping[str, Any]) -> Card:
    nvidia = raw.get("nvidia") or {}
    number = str(raw.get("vendor_id", "")).lower()
    return Card(
        pci=str(raw["pci_address"]),
        vendor=_VENDORS.get(number) or str(raw.get("vendor", "")) or number,
        product=str(nvidia.get("model") or raw.get("product", "")),
        driver=str(raw.get("driver", "")),
        driver_version=str(nvidia.get("nvrm_version") or raw.get("driver_version", "")),
        nodes=dict(_nodes(raw)),
    )


def _nodes(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that Incus gives to a container with this card."""
    drm, nvidia = raw.get("drm") or {}, raw.get("nvidia") or {}
    for kind in ("card", "render"):
        if drm.get(f"{kind}_name") and drm.get(f"{kind}_device"):
            yield f"/dev/dri/{drm[f'{kind}_name']}", str(drm[f"{kind}_device"])
    if nvidia.get("card_name") and nvidia.get("card_device"):
        yield f"/dev/{nvidia['card_name']}", str(nvidia["card_device"])
        yield from _NVIDIA_CONTROL.items()
