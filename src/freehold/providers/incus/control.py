"""What a control machine has besides: the ways to Incus and to the host's agent, as proxy devices. Pure.

Both end in /dev, which Incus makes anew at every start of a container: nothing stale is in the way, and the folder is in
every image. A folder in /run is not there yet at a restart, and the machine would not come up again. The program that Incus runs for
such a device connects anew for each caller, so it outlives incusd. No `environment.INCUS_SOCKET`: Incus's own hook at the
start of the container would read it, and the container would not start. Used by `instances.py` and `provider.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from freehold.model import Machine, MachineType
from freehold.planning.address import Address
from freehold.planning.resource import Observed
from freehold.system.host_agent.place import INCUS_INSIDE, INSIDE

INCUS_DEVICE = "freehold-incus"
AGENT_DEVICE = "freehold-host"
Devices = Mapping[str, Mapping[str, str]]
_UNIX = "unix:"
_ROOT_ONLY = {"uid": "0", "gid": "0", "mode": "0600"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Where the two sockets are on the host, as incusd sees them. `agent` is that of the estate's agent."""

    incus: str
    agent: str


def is_steered_from(machine: Machine) -> bool:
    """Whether the machine gets the ways. Incus gives no socket to a virtual machine."""
    return machine.control and machine.type is MachineType.CONTAINER


def control_devices(machine: Machine, ways: Ways | None) -> dict[str, dict[str, str]]:
    """The two devices; none for any other machine, or where the ways are not known."""
    if ways is None or not is_steered_from(machine):
        return {}
    return {
        INCUS_DEVICE: _device(ways.incus, str(INCUS_INSIDE)),
        AGENT_DEVICE: _device(ways.agent, str(INSIDE)),
    }


def _device(outside: str, inside: str) -> dict[str, str]:
    return {
        "type": "proxy",
        "bind": "instance",
        "listen": _UNIX + inside,
        "connect": _UNIX + outside,
        **_ROOT_ONLY,
    }


def ways_of(observed: Iterable[Observed]) -> Ways | None:
    """The ways that a control machine has now: how one that looks from inside knows what is outside."""
    for _, devices in _control_machines(observed):
        return Ways(incus=_target(devices[INCUS_DEVICE]), agent=_target(devices[AGENT_DEVICE]))
    return None


def control_machine(observed: Iterable[Observed], instance: str) -> Address | None:
    """The control machine whose instance has this name."""
    for seen, _ in _control_machines(observed):
        if seen.fields.get("name") == instance:
            return seen.address
    return None


def _control_machines(observed: Iterable[Observed]) -> Iterator[tuple[Observed, Devices]]:
    for seen in observed:
        devices: Devices = seen.fields.get("devices") or {}
        if INCUS_DEVICE in devices and AGENT_DEVICE in devices:
            yield seen, devices


def _target(device: Mapping[str, str]) -> str:
    return device.get("connect", "").removeprefix(_UNIX)
