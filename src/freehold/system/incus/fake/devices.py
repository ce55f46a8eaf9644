"""What the in-memory Incus finds wrong with devices, in the words of the real server.

Incus looks at three moments: every device of a request (`invalid`), a device that is new or changes (`unfit`), and each
device at a start (`unfit_to_start`). Called by `profiles.py`, `instances.py` and `power.py`.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from freehold.system.incus.fake.networks import subnet_of
from freehold.system.incus.fake.options import boolean_problem, is_true, size_problem
from freehold.system.incus.fake.state import Key, State
from freehold.system.incus.fake.usage import bridge_of

Device = Mapping[str, str]

TYPES = frozenset(
    {"none", "nic", "disk", "gpu", "proxy", "unix-char", "unix-block", "unix-hotplug", "usb", "tpm", "pci", "infiniband"}
)  # fmt: skip
_NIC_OPTIONS = frozenset(
    {
        "type", "name", "network", "nictype", "parent", "hwaddr", "host_name", "mtu", "vlan", "vlan.tagged",
        "ipv4.address", "ipv4.routes", "ipv4.routes.external", "ipv6.address", "ipv6.routes", "ipv6.routes.external",
        "limits.egress", "limits.ingress", "limits.max", "limits.priority", "security.acls",
        "security.acls.default.egress.action", "security.acls.default.egress.logged",
        "security.acls.default.ingress.action", "security.acls.default.ingress.logged",
        "security.ipv4_filtering", "security.ipv6_filtering", "security.mac_filtering", "security.port_isolation",
        "boot.priority", "queue.tx.length", "attached", "connected",
    }
)  # fmt: skip
_DISK_OPTIONS = frozenset(
    {
        "type", "path", "source", "pool", "size", "size.state", "readonly", "required", "recursive", "shift",
        "propagation", "raw.mount.options", "limits.read", "limits.write", "limits.max", "boot.priority", "io.bus",
        "io.cache", "ceph.cluster_name", "ceph.user_name", "attached",
    }
)  # fmt: skip
_ISOLATION = "security.port_isolation"
_HARDWARE_ADDRESS = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def has_root(devices: Mapping[str, Device]) -> bool:
    """Whether there is a root disk."""
    return any(
        device.get("type") == "disk" and device.get("path") == "/" and "pool" in device
        for device in devices.values()
    )


def invalid(state: State, devices: Mapping[str, Device]) -> str | None:
    """What is wrong with devices in themselves, None when nothing is."""
    paths: dict[str, str] = {}
    for name, device in sorted(devices.items()):
        start = f'Device validation failed for "{name}": '
        if problem := _invalid(state, name, device):
            return start + problem
        path = device.get("path", "")
        if device["type"] == "disk" and path and path in paths:
            return f'{start}More than one disk device uses the same path "{path}"'
        paths[path] = name
    return None


def _invalid(state: State, name: str, device: Device) -> str | None:
    kind = device.get("type")
    if kind is None:
        return f'Failed loading device "{name}": Missing device type in config'
    if kind not in TYPES:
        return f'Failed loading device "{name}": Unsupported device type'
    if kind == "nic":
        return next(_invalid_nic(state, name, device), None)
    return next(_invalid_disk(device), None) if kind == "disk" else None


def _invalid_nic(state: State, name: str, device: Device) -> Iterator[str]:
    bridge = bridge_of(device)
    if "network" in device and bridge not in state.networks:
        yield (
            f'Failed loading device "{name}": Failed to load network "{bridge}" for project "default": '
            "Network not found"
        )
    yield from (f'Invalid device option "{key}"' for key in device if key not in _NIC_OPTIONS)
    hardware = device.get("hwaddr")
    if hardware is not None and not _HARDWARE_ADDRESS.fullmatch(hardware):
        yield (
            'Invalid value for device option "hwaddr": Invalid MAC address, must be 6 bytes of hex separated by '
            "colons"
        )
    yield from _unfiltered(state, device)
    if problem := _outside(state, device):
        yield problem


def _unfiltered(state: State, device: Device) -> Iterator[str]:
    """What keeps packets from being filtered by address; whether the filters' values are truth values nobody asks."""
    if (problem := boolean_problem(device.get(_ISOLATION, "true"))) is not None:
        yield f'Invalid value for device option "{_ISOLATION}": {problem}'
    for version in (4, 6):
        address = f"ipv{version}.address"
        if is_true(device.get(f"security.ipv{version}_filtering")):
            if {"vlan", "vlan.tagged"} & device.keys():
                yield "IP filtering cannot be used with VLAN filtering"
            if device.get("parent", "") not in {"", *state.networks} and address not in device:
                yield (
                    f"IPv{version} filtering requires a manually specified {address} when using an unmanaged "
                    "parent bridge"
                )


def _outside(state: State, device: Device) -> str | None:
    """Gateway, network and broadcast address pass, as with the real server."""
    bridge, address = bridge_of(device), device.get("ipv4.address")
    network = state.networks.get(bridge or "")
    if address is None or network is None:
        return None
    subnet, filtered = subnet_of(network), is_true(device.get("security.ipv4_filtering"))
    if subnet is None or address == "none":
        if filtered:
            return None
        if subnet is not None:
            return "Cannot have ipv4.address as none unless using security.ipv4_filtering"
        return (
            'Cannot specify "ipv4.address" when DHCP is disabled (unless using security.ipv4_filtering) '
            f'on network "{bridge}"'
        )
    try:
        inside = IPv4Address(address) in subnet.network
    except AddressValueError:
        inside = False
    return None if inside else f'Device IP address "{address}" not within network "{bridge}" subnet'


def _invalid_disk(device: Device) -> Iterator[str]:
    yield from (
        f'Invalid device option "{key}"'
        for key in device
        if key not in _DISK_OPTIONS and not key.startswith(("initial.", "user."))
    )
    if problem := size_problem(device.get("size", "1")):
        yield f'Invalid value for device option "size": {problem}'


def unfit(
    state: State, key: Key, name: str, device: Device, volumes: str, *, known: bool
) -> str | None:
    """Why an instance cannot take a device that is new (`known` false) or that it has otherwise.

    `volumes` is the project that holds its volumes. A stopped instance that is being made may share an address.
    """
    if device.get("type") == "disk" and "source" in device and "pool" in device:
        problem = _missing_volume(state, device, volumes)
    else:
        problem = taken(state, key, name, device)
    verb = "update" if known else "add"
    return f'Failed {verb} validation for device "{name}": {problem}' if problem else None


def _missing_volume(state: State, device: Device, volumes: str) -> str | None:
    if device["pool"] not in state.pools:
        return f'Failed to get storage pool "{device["pool"]}": Storage pool not found'
    if (device["pool"], volumes, device["source"]) not in state.volumes:
        return "Failed loading custom volume: Storage volume not found"
    return None if "path" in device else "Custom filesystem volumes require a path to be defined"


def taken(state: State, key: Key, name: str, device: Device) -> str | None:
    """Whether another NIC on the same bridge has the static address or the MAC address, running or not."""
    bridge = bridge_of(device)
    if bridge is None:
        return None
    me = (*key, name)
    for words, index, value in (
        ("IP address", state.usage.addresses, device.get("ipv4.address")),
        ("MAC address", state.usage.hardware, device.get("hwaddr")),
    ):
        if value is not None and any(other != me for other in index.get((bridge, value), ())):
            return f'{words} "{value}" already defined on another NIC'
    return None


def unfit_to_start(state: State, key: Key, name: str, device: Device, volumes: str) -> str | None:
    """Why an instance cannot start with a device; `volumes` is the project that holds its volumes."""
    if device.get("type") == "gpu" and not any(
        _is_card(device, card) for card in state.behaviour.computer.cards
    ):
        return f'Failed to start device "{name}": Failed to detect requested GPU device'
    if problem := unfilterable(state, device):
        return f'Failed to start device "{name}": {problem}'
    problem = _outside(state, device) or taken(state, key, name, device)
    if device.get("type") == "disk" and "source" in device and "pool" in device:
        problem = _missing_volume(state, device, volumes)
    return f'Failed start validation for device "{name}": {problem}' if problem else None


def _is_card(device: Device, card: Mapping[str, Any]) -> bool:
    """Whether a device means this card; without an address or a maker it means every one."""
    return all(
        device.get(option, card.get(key)) == card.get(key)
        for option, key in (("pci", "pci_address"), ("vendorid", "vendor_id"))
    )


def unfilterable(state: State, device: Device) -> str | None:
    """Why the host cannot filter what a NIC sends; Incus asks for bridge netfilter although its rules need none."""
    if not is_true(device.get("security.ipv6_filtering")) or state.behaviour.bridge_netfilter:
        return None
    return (
        "security.ipv6_filtering requires bridge netfilter: sysctl net.bridge.bridge-nf-call-ip6tables "
        "not enabled"
    )
