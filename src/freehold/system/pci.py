"""The PCI devices of this computer, as the kernel shows them in /sys (Documentation/ABI/testing/sysfs-bus-pci).

Read by `providers.incus` for cards that are passed through to virtual machines.
"""

from pathlib import Path

SYSFS = Path("/sys")
_BRIDGE = (
    "0x0604"  # class of a PCI-to-PCI bridge: vfio leaves those that are in a group to the kernel
)


class PciDevices:
    """`root` is where sysfs is mounted."""

    def __init__(self, root: Path = SYSFS) -> None:
        self._devices = root / "bus" / "pci" / "devices"

    def isolated_with(self, address: str) -> tuple[str, ...] | None:
        """The addresses of the device's IOMMU group, its own among them, bridges left out; None when it has no group.

        Nothing smaller than a group can be passed through. A computer whose IOMMU is off has no groups. Raises OSError.
        """
        group = self._devices / address / "iommu_group" / "devices"
        if not group.is_dir():
            return None
        return tuple(
            sorted(each.name for each in group.iterdir() if not self._is_bridge(each.name))
        )

    def _is_bridge(self, address: str) -> bool:
        kind = self._devices / address / "class"
        return kind.read_text(encoding="ascii").startswith(_BRIDGE)
