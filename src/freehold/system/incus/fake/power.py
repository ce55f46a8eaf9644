"""Starting and stopping instances of the in-memory Incus, and the addresses that bridges give them meanwhile.

`/instances/NAME/state`. Routes for `server.py`; `instances.py` starts what was created with `start`.
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any

from freehold.system.incus.fake.devices import unfit_to_start
from freehold.system.incus.fake.documents import Document, url
from freehold.system.incus.fake.expansion import forget, store, volume_home
from freehold.system.incus.fake.machine_state import machine_state
from freehold.system.incus.fake.networks import subnet_of
from freehold.system.incus.fake.routing import Refusal, Request, Routes, operation_failed
from freehold.system.incus.fake.state import Key, State, now
from freehold.system.incus.fake.usage import bridge_of

IDMAP = (
    '[{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":1000000000},'
    '{"Isuid":false,"Isgid":true,"Hostid":1000000,"Nsid":0,"Maprange":1000000000}]'
)
_STATUS_CODES = {"Running": 103, "Stopped": 102, "Frozen": 110}
_DONE = {
    "start": "Starting instance",
    "stop": "Stopping instance",
    "restart": "Restarting instance",
    "freeze": "Freezing instance",
    "unfreeze": "Unfreezing instance",
}


def is_running(instance: Mapping[str, Any]) -> bool:
    """Whether there is a process, frozen or not."""
    return bool(instance["status"] != "Stopped")


def start(state: State, key: Key) -> None:
    """Start an instance. Raises Refusal (a failed operation) when it runs or a device keeps it from starting."""
    instance = state.instances[key]
    if is_running(instance):
        raise operation_failed("The instance is already running")
    if "volatile.base_image" not in instance["config"]:
        raise operation_failed("Failed to run: incusd forkstart: exit status 1")
    for name, device in sorted(instance["expanded_devices"].items()):
        if problem := unfit_to_start(state, key, name, device, volume_home(state, key[0])):
            raise operation_failed(problem)
    _set_status(instance, "Running")
    instance["last_used_at"] = now()
    instance["config"].pop("volatile.apply_template", None)
    instance["config"] |= _volatile_of_start(state, instance)
    state.reads_since_start[key] = 0
    store(state, key, instance)
    _note_mounted_volumes(state, key)
    settle_leases(state, key)


def _volatile_of_start(state: State, instance: Document) -> dict[str, str]:
    config = instance["config"]
    keys = {"volatile.last_state.power": "RUNNING"}
    if instance["type"] == "container":
        keys["volatile.idmap.current"] = IDMAP
    keys.setdefault("volatile.uuid", config.get("volatile.uuid") or state.new_uuid())
    keys.setdefault("volatile.uuid.generation", keys["volatile.uuid"])
    for name, device in instance["expanded_devices"].items():
        if bridge_of(device) is None:
            continue
        keys[f"volatile.{name}.host_name"] = f"veth{state.random.getrandbits(32):08x}"
        if "hwaddr" not in device and f"volatile.{name}.hwaddr" not in config:
            keys[f"volatile.{name}.hwaddr"] = state.new_hardware_address()
    return keys


def _note_mounted_volumes(state: State, key: Key) -> None:
    """A container's start writes to its volumes which ids they are shifted to."""
    instance = state.instances[key]
    if instance["type"] != "container":
        return
    home = volume_home(state, key[0])
    for device in instance["expanded_devices"].values():
        volume = state.volumes.get((device.get("pool", ""), home, device.get("source", "")))
        if device.get("type") == "disk" and volume is not None:
            volume["config"] |= {"volatile.idmap.last": IDMAP, "volatile.idmap.next": IDMAP}


def stop(state: State, key: Key, *, force: bool = True) -> None:
    """Stop an instance. Raises Refusal (a failed operation) when it is stopped or does not shut down by itself."""
    instance = state.instances[key]
    if not is_running(instance):
        raise operation_failed("The instance is already stopped")
    if not force and not state.behaviour.shuts_down:
        raise operation_failed(
            'Failed shutting down instance, status is "Running": context deadline exceeded'
        )
    _set_status(instance, "Stopped")
    for name in instance["expanded_devices"]:
        instance["config"].pop(f"volatile.{name}.host_name", None)
        state.leases.pop((*key, name), None)
    state.plugged.pop(key, None)
    instance["config"] |= {
        "volatile.last_state.power": "STOPPED",
        "volatile.last_state.ready": "false",
    }
    store(state, key, instance)
    if instance["ephemeral"]:
        forget(state, key)


def _set_status(instance: Document, status: str) -> None:
    instance["status"] = status
    instance["status_code"] = _STATUS_CODES[status]


def settle_leases(state: State, key: Key) -> None:
    """Give the NICs of a running instance addresses, and take those of NICs that are gone or replugged.

    A running guest keeps the address it has when only its reservation changes, as a DHCP client does.
    """
    instance = state.instances[key]
    if not is_running(instance):
        return
    _drop_stale_leases(state, key)
    for name, device in instance["expanded_devices"].items():
        bridge = bridge_of(device)
        if bridge is None or bridge not in state.networks or (*key, name) in state.leases:
            continue
        if offered := _offered(state, bridge, device):
            state.leases[*key, name] = offered


def _drop_stale_leases(state: State, key: Key) -> None:
    devices = state.instances[key]["expanded_devices"]
    for name, former in state.plugged.pop(key, {}).items():
        if name not in devices or bridge_of(devices[name]) != former:
            state.leases.pop((*key, name), None)
    state.plugged[key] = {
        name: bridge
        for name, device in devices.items()
        if (bridge := bridge_of(device)) is not None
    }


def _offered(state: State, bridge: str, device: Mapping[str, str]) -> str | None:
    """What the bridge's DHCP server offers: the reserved address, else the first free one of its range."""
    network = state.networks[bridge]
    if subnet_of(network) is None or network["config"].get("ipv4.dhcp") == "false":
        return None
    if static := device.get("ipv4.address"):
        return static
    held = {
        address
        for key in state.usage.networks[bridge]
        for name in state.instances[key]["expanded_devices"]
        if (address := state.leases.get((*key, name)))
    }
    free = (address for address in _range(network) if address not in held)
    return next((each for each in free if (bridge, each) not in state.usage.addresses), None)


def _range(network: Mapping[str, Any]) -> Iterator[str]:
    subnet = subnet_of(network)
    if subnet is None:
        return
    ranges = network["config"].get("ipv4.dhcp.ranges")
    if not ranges:
        yield from (str(host) for host in subnet.network.hosts() if host != subnet.ip)
        return
    for part in ranges.split(","):
        first, _, last = part.strip().partition("-")
        for number in range(int(IPv4Address(first)), int(IPv4Address(last or first)) + 1):
            yield str(IPv4Address(number))


def _get(state: State, request: Request, name: str) -> Document:
    state.require_instance(request.project, name)
    return machine_state(state, (request.project, name))


def _change(state: State, request: Request, name: str) -> Document:
    state.require_instance(request.project, name)
    key, action = (request.project, name), request.body.get("action", "")
    if action not in _DONE:
        raise Refusal(400, f"Unknown action: '{action}'")
    force = bool(request.body.get("force", False))
    match action:
        case "start":
            start(state, key)
        case "stop":
            stop(state, key, force=force)
        case "restart":
            stop(state, key, force=force)
            start(state, key)
        case _:
            _freeze(state.instances[key], "Frozen" if action == "freeze" else "Running")
    return state.operation(_DONE[action], {"instances": [url("/instances", name, request.project)]})


def _freeze(instance: Document, wanted: str) -> None:
    if instance["status"] == "Stopped":
        stopped = "instance" if wanted == "Frozen" else instance["type"]
        raise operation_failed(f"The {stopped} isn't running")
    if instance["status"] == wanted:
        raise operation_failed(f"The {instance['type']} is already {wanted.lower()}")
    _set_status(instance, wanted)


ROUTES: Routes = {
    ("GET", "/instances/{name}/state"): _get,
    ("PUT", "/instances/{name}/state"): _change,
}
