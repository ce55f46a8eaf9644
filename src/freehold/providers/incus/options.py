"""What changing an instance's options and devices does to what runs inside. Pure; facts from Incus's own metadata.

Source: the `liveupdate` property of each option in `GET /1.0/metadata/configuration` (Incus 6.0).
"""

import json
from collections.abc import Iterable, Mapping

from freehold.model import MachineType, Profile
from freehold.planning.resource import Fields, Impact
from freehold.providers.incus.device_nodes import LOST, REATTACHED

_LIVE_PREFIXES = (
    "boot.",
    "cluster.",
    "environment.",
    "limits.",
    "migration.",
    "security.protection.",
    "snapshots.",
    "user.",
)
_RESTART_EXCEPTIONS = frozenset(
    {"limits.kernel.", "limits.memory.hugepages", "limits.memory.oom_priority"}
)
_VARIABLE = "environment."  # LXC keeps those of a machine's start: it takes new ones and values, but loses none
_RESTART_OF_VMS = frozenset(
    {"limits.memory", "limits.cpu"}
)  # hot plug needs more than a guest can promise
_COLD_IN_VMS = ("root", "gpu")  # a card is plugged into a VM only while it is off
_NIC_IDENTITY = ("ipv4.address", "hwaddr", "network", "name")


def impact_of(path: str, fields: Fields) -> Impact:
    """What a change of this field of an instance asks for."""
    if path in {"type", "image"}:
        return Impact.RECREATE
    section, _, rest = path.partition(".")
    if section == "inherited":
        return Impact.RESTART
    if section == LOST:
        return Impact.RESTART if rest.endswith(REATTACHED) else Impact.LIVE
    is_vm = fields["type"] == MachineType.VM
    if section == "config":
        gone = rest.startswith(_VARIABLE) and rest not in fields.get("config", (rest,))
        return Impact.RESTART if gone or needs_restart(rest, is_vm) else Impact.LIVE
    if section == "devices":
        return _device_impact(rest, is_vm)
    return Impact.LIVE


def needs_restart(option: str, is_vm: bool) -> bool:
    """Whether a running instance takes this option only when it starts."""
    if is_vm and option in _RESTART_OF_VMS:
        return True
    if any(option.startswith(prefix) for prefix in _RESTART_EXCEPTIONS):
        return True
    return not option.startswith(_LIVE_PREFIXES)


def _device_impact(path: str, is_vm: bool) -> Impact:
    device, _, key = path.partition(".")
    if device == "eth0" and key in _NIC_IDENTITY:
        return Impact.RESTART
    return Impact.RESTART if is_vm and device in _COLD_IN_VMS else Impact.LIVE


def inherited(
    profiles: Iterable[Profile], own: Mapping[str, str], machine_type: MachineType
) -> dict[str, str]:
    """The options that a start takes from profiles and that a later change of a profile cannot touch."""
    is_vm = machine_type is MachineType.VM
    options: dict[str, str] = {}
    for profile in profiles:
        options.update(profile.config)
    return {
        key: value
        for key, value in sorted(options.items())
        if key not in own and needs_restart(key, is_vm)
    }


def inherited_as_text(options: Mapping[str, str]) -> str:
    """How `inherited` is kept on the instance."""
    return json.dumps(options, sort_keys=True)


def inherited_from_text(text: str) -> dict[str, str]:
    """Read it back; a text that somebody damaged counts as nothing, so that the next plan restores it."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}
