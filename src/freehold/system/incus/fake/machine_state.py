"""`GET /instances/NAME/state` of the in-memory Incus: what a container's kernel or a VM's agent shows from inside."""

from collections.abc import Mapping
from typing import Any

from freehold.system.incus.fake.documents import NEVER, Document
from freehold.system.incus.fake.networks import subnet_of
from freehold.system.incus.fake.state import Key, State
from freehold.system.incus.fake.usage import bridge_of

_NO_MEMORY = {"usage": 0, "usage_peak": 0, "total": 0, "swap_usage": 0, "swap_usage_peak": 0}
_COUNTERS = {
    "bytes_received": 347,
    "bytes_sent": 674,
    "packets_received": 1,
    "packets_sent": 5,
    "errors_received": 0,
    "errors_sent": 0,
    "packets_dropped_outbound": 0,
    "packets_dropped_inbound": 0,
}


def machine_state(state: State, key: Key) -> Document:
    """The state of an instance. Each look at a running one brings its address and its agent nearer."""
    instance = state.instances[key]
    running = instance["status"] != "Stopped"
    looks = state.reads_since_start.get(key, 0)
    if running:
        state.reads_since_start[key] = looks + 1
    return {
        "status": instance["status"],
        "status_code": instance["status_code"],
        "disk": {"root": {"usage": 16384, "total": 0}},
        "memory": dict(_NO_MEMORY),
        "network": _interfaces(state, key, looks) if running else None,
        "pid": 285 if running else 0,
        "processes": _processes(state, key, looks) if running else 0,
        "cpu": {"usage": 0, "allocated_time": 0},
        "started_at": instance["last_used_at"] if running else NEVER,
        "os_info": None,
    }


def agent_answers(state: State, key: Key, looks: int) -> bool:
    """Whether Incus can look into a machine: always into a container, into a VM once its agent is up."""
    return state.instances[key]["type"] == "container" or looks >= state.behaviour.agent_after


def _processes(state: State, key: Key, looks: int) -> int:
    return 10 if agent_answers(state, key, looks) else -1


def _interfaces(state: State, key: Key, looks: int) -> Document:
    """Without its agent a VM shows the leases of its NICs; with it the guest's own names of them, and `lo`."""
    instance = state.instances[key]
    inside = agent_answers(state, key, looks)
    is_vm = instance["type"] == "virtual-machine"
    found: Document = {}
    nics = [
        (name, device) for name, device in instance["expanded_devices"].items() if bridge_of(device)
    ]
    for number, (name, device) in enumerate(nics):
        lease = state.leases.get((*key, name)) if looks >= state.behaviour.address_after else None
        shown = f"enp{5 + number}s0" if is_vm and inside else device.get("name", name)
        found[shown] = _interface(state, instance["config"], name, device, lease)
    if inside:
        found["lo"] = _loopback()
    return found


def _interface(
    state: State, config: Mapping[str, str], name: str, device: Mapping[str, str], lease: str | None
) -> Document:
    hardware = device.get("hwaddr") or config.get(f"volatile.{name}.hwaddr", "")
    addresses = [_address("inet6", _link_local(hardware), "64", "link")] if hardware else []
    if lease is not None:
        subnet = subnet_of(state.networks.get(bridge_of(device) or "", {"config": {}}))
        length = str(subnet.network.prefixlen) if subnet else "24"
        addresses.insert(0, _address("inet", lease, length, "global"))
    return {
        "addresses": addresses,
        "counters": dict(_COUNTERS),
        "hwaddr": hardware,
        "host_name": config.get(f"volatile.{name}.host_name", ""),
        "mtu": 1500,
        "state": "up",
        "type": "broadcast",
    }


def _loopback() -> Document:
    return {
        "addresses": [
            _address("inet", "127.0.0.1", "8", "local"),
            _address("inet6", "::1", "128", "local"),
        ],
        "counters": dict.fromkeys(_COUNTERS, 0),
        "hwaddr": "",
        "host_name": "",
        "mtu": 65536,
        "state": "up",
        "type": "loopback",
    }


def _address(family: str, address: str, length: str, scope: str) -> dict[str, Any]:
    return {"family": family, "address": address, "netmask": length, "scope": scope}


def _link_local(hardware: str) -> str:
    """The address that a kernel derives from a MAC address (RFC 4291, appendix A)."""
    parts = [int(part, 16) for part in hardware.split(":")]
    groups = [parts[0] ^ 2, parts[1], parts[2], 0xFF, 0xFE, *parts[3:]]
    pairs = [f"{high << 8 | low:x}" for high, low in zip(groups[::2], groups[1::2], strict=True)]
    return "fe80::" + ":".join(pairs)
