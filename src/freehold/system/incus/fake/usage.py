"""Who uses what: for `used_by`, for refusing to delete, and for finding an address that is taken.

Kept up to date with every change of an instance, so that no question walks over all instances.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str]
Device = tuple[str, str, str]
"""(project, instance, device)"""


def bridge_of(device: Mapping[str, str]) -> str | None:
    """The bridge that a device is plugged into, in either of Incus's notations."""
    if device.get("type") != "nic":
        return None
    return device.get("network") or device.get("parent")


@dataclass(slots=True)
class Usage:
    """Indices of the instances. Dictionaries serve as sets that keep their order."""

    profiles: defaultdict[Key, dict[Key, None]] = field(default_factory=lambda: defaultdict(dict))
    networks: defaultdict[str, dict[Key, None]] = field(default_factory=lambda: defaultdict(dict))
    volumes: defaultdict[tuple[str, str, str], dict[Key, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    projects: defaultdict[str, dict[Key, None]] = field(default_factory=lambda: defaultdict(dict))
    addresses: defaultdict[Key, dict[Device, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    hardware: defaultdict[Key, dict[Device, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _places: dict[Key, list[tuple[dict[Any, None], Hashable]]] = field(default_factory=dict)

    def remove(self, key: Key) -> None:
        """Forget an instance."""
        for index, member in self._places.pop(key, ()):
            index.pop(member, None)

    def add(self, key: Key, instance: Mapping[str, Any], profiles: str, volumes: str) -> None:
        """Take note of an instance; `profiles` and `volumes` are the projects that hold those."""
        self.remove(key)
        places = [
            (self.projects[key[0]], key),
            *((self.profiles[profiles, name], key) for name in instance["profiles"]),
            *self._of_devices(key, instance, volumes),
        ]
        for index, member in places:
            index[member] = None
        self._places[key] = places

    def _of_devices(
        self, key: Key, instance: Mapping[str, Any], volumes: str
    ) -> Iterator[tuple[dict[Any, None], Hashable]]:
        for name, device in instance["expanded_devices"].items():
            if (bridge := bridge_of(device)) is not None:
                yield self.networks[bridge], key
                if address := device.get("ipv4.address"):
                    yield self.addresses[bridge, address], (*key, name)
                if hardware := device.get("hwaddr"):
                    yield self.hardware[bridge, hardware], (*key, name)
            if device.get("type") == "disk" and "pool" in device and "source" in device:
                yield self.volumes[device["pool"], volumes, device["source"]], key
