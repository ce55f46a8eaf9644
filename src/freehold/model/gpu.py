"""The graphics card that a machine is to have, and the profiles by which it gets one. Pure values.

What the computer has is `model.computer.Card`; which profile a machine gets is decided in `providers.incus.gpu`.
"""

from dataclasses import dataclass
from enum import StrEnum

from freehold.model.computer import Card
from freehold.model.size import Size


class GpuVendor(StrEnum):
    """Who made a card, of those whose cards machines can be given."""

    NVIDIA = "nvidia"
    AMD = "amd"
    INTEL = "intel"


class GpuProfile(StrEnum):
    """The profiles that Freehold makes in the project of a domain with such machines."""

    NVIDIA_COMPUTE = "nvidia-compute"
    RENDER = "gpu-render"
    PASSTHROUGH = "gpu-passthrough"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """The card that a machine is to have; without `pci` and `vendor`, whichever there is.

    `pci` is its address (`0000:01:00.0`); `memory` is what the machine needs of the card's own.
    """

    pci: str | None = None
    vendor: GpuVendor | None = None
    memory: Size | None = None

    def means(self, card: Card) -> bool:
        """Whether it may be this card."""
        return self.pci in (None, card.pci) and self.vendor in (None, card.vendor)
