"""Which configuration keys the in-memory Incus knows and which values it takes.

The names and types are those of `GET /1.0/metadata/configuration` of Incus 6.0.4 (`instance_options.json`); the messages
are those of the real server.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from freehold.system.incus.fake.documents import Document
from freehold.system.incus.fake.snapshot_options import (
    expiry_problem,
    schedule_problem,
    volume_schedule_problem,
)

_FREE_PREFIXES = ("user.", "image.", "environment.", "limits.kernel.", "linux.sysctl.", "smbios11.")
_VOLATILE = re.compile(
    r"volatile\.(apply_template|base_image|cloud-init\.instance-id|uuid(\.generation)?|idmap\.\w+"
    r"|last_state\.\w+|apply_nvram|evacuate\.origin|vsock_id|cpu\.nodes|cluster\.group|rebalance\.last_move"
    r"|vm\.definition|[^.]+\.(hwaddr|host_name|name|apply_quota|last_state\..+))"
)
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_SIZE = re.compile(r"\d+(B|[kMGTPE]B|bit|[kMGTPE]bit|[KMGTPE]iB)?")
_CPUS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*,?")

PROJECT_FEATURES = (
    "features.images",
    "features.networks",
    "features.networks.zones",
    "features.profiles",
    "features.storage.buckets",
    "features.storage.volumes",
)
_PROJECT_PREFIXES = ("user.", "limits.", "restricted", "images.", "backups.")
_NETWORK_BOOLEANS = frozenset(
    f"ipv{version}.{key}"
    for version in (4, 6)
    for key in ("dhcp", "dhcp.stateful", "firewall", "nat", "routing")
)
_NETWORK_OPTIONS = _NETWORK_BOOLEANS | {
    "bgp.ipv4.nexthop", "bgp.ipv6.nexthop", "bridge.driver", "bridge.external_interfaces", "bridge.hwaddr",
    "bridge.mtu", "dns.domain", "dns.mode", "dns.nameservers", "dns.search", "dns.zone.forward",
    "dns.zone.reverse.ipv4", "dns.zone.reverse.ipv6", "ipv4.address", "ipv4.dhcp.expiry", "ipv4.dhcp.gateway",
    "ipv4.dhcp.ranges", "ipv4.dhcp.routes", "ipv4.nat.address", "ipv4.nat.order", "ipv4.ovn.ranges", "ipv4.routes",
    "ipv6.address", "ipv6.dhcp.expiry", "ipv6.dhcp.ranges", "ipv6.nat.address", "ipv6.nat.order",
    "ipv6.ovn.ranges", "ipv6.routes", "raw.dnsmasq", "security.acls", "security.acls.default.egress.action",
    "security.acls.default.egress.logged", "security.acls.default.ingress.action",
    "security.acls.default.ingress.logged",
}  # fmt: skip
_SNAPSHOT_OPTIONS = {"snapshots.expiry": expiry_problem, "snapshots.schedule": schedule_problem}
_VOLUME_SNAPSHOT_OPTIONS = {
    "snapshots.expiry": expiry_problem,
    "snapshots.schedule": volume_schedule_problem,
}
_VOLUME_BOOLEANS = frozenset({"security.shifted", "security.unmapped", "security.shared"})
_VOLUME_OPTIONS = _VOLUME_BOOLEANS | {
    "size", "snapshots.expiry", "snapshots.pattern", "snapshots.schedule", "initial.uid", "initial.gid",
    "initial.mode",
}  # fmt: skip


@cache
def instance_options() -> Mapping[str, Mapping[str, str]]:
    """Every instance option: group, type, liveupdate, condition."""
    text = files(__package__).joinpath("instance_options.json").read_text("utf-8")
    options: Mapping[str, Mapping[str, str]] = json.loads(text)
    return options


def instance_problem(config: Mapping[str, str], instance_type: str | None) -> str | None:
    """What is wrong with an instance's config, None when nothing is; `instance_type` None: that of a profile."""
    for key, value in sorted(config.items()):
        if key.startswith("volatile.") and instance_type is None:
            return "Volatile keys can only be set on instances"
        if not _is_instance_option(key, instance_type):
            return f"Unknown configuration key: {key}"
        if problem := _value_problem(key, value):
            return problem
    return None


def _is_instance_option(key: str, instance_type: str | None) -> bool:
    if key.startswith("volatile."):
        return _VOLATILE.fullmatch(key) is not None
    if key.startswith(_FREE_PREFIXES):
        return True
    option = instance_options().get(key)
    if option is None:
        return False
    condition = option.get("condition", "")
    if instance_type == "container":
        return condition != "virtual machine"
    return instance_type is None or "container" not in condition


def _value_problem(key: str, value: str) -> str | None:
    if key in {"limits.memory", "size"}:
        return size_problem(value, percentage=key == "limits.memory")
    if key == "limits.cpu":
        if value in {"0", ""}:
            return f"Invalid cpuset value: {value}"
        return None if _CPUS.fullmatch(value) else "Invalid CPU limit syntax"
    if check := _SNAPSHOT_OPTIONS.get(key):
        return check(value)
    kind = instance_options().get(key, {}).get("type")
    if kind == "bool":
        return boolean_problem(value)
    if kind == "integer" and not re.fullmatch(r"-?\d+", value):
        return f'Invalid value for an integer "{value}"'
    return None


def boolean_problem(value: str) -> str | None:
    """What is wrong with a truth value."""
    return None if value.lower() in _TRUE | _FALSE else f'Invalid value for a boolean "{value}"'


def is_true(value: str | None) -> bool:
    """How the server reads a truth value; what is absent is false."""
    return value is not None and value.lower() in _TRUE


def size_problem(value: str, *, percentage: bool = False) -> str | None:
    """What is wrong with a size such as `8GiB`, with `percentage` also `50%`."""
    if percentage and value == "0":
        return "Memory limit can't be 0"
    if percentage and re.fullmatch(r"\d+%", value):
        return None
    return None if _SIZE.fullmatch(value) else f"Invalid value: {value}"


def project_problem(config: Mapping[str, str]) -> str | None:
    """What is wrong with a project's config."""
    for key, value in sorted(config.items()):
        if key not in PROJECT_FEATURES and not key.startswith(_PROJECT_PREFIXES):
            return f'Invalid project configuration key "{key}"'
        if key in PROJECT_FEATURES and (problem := boolean_problem(value)):
            return f'Invalid project configuration key "{key}" value: {problem}'
    return None


def volume_problem(name: str, config: Mapping[str, str]) -> str | None:
    """What is wrong with a custom volume's config."""
    for key, value in sorted(config.items()):
        if key not in _VOLUME_OPTIONS and not key.startswith(("user.", "volatile.idmap.")):
            return f'Invalid option for volume "{name}" option "{key}"'
        problem = boolean_problem(value) if key in _VOLUME_BOOLEANS else None
        problem = size_problem(value) if key == "size" else problem
        if check := _VOLUME_SNAPSHOT_OPTIONS.get(key):
            problem = check(value)
        if problem:
            return f'Invalid value for volume "{name}" option "{key}": {problem}'
    return None


def network_problem(name: str, config: Mapping[str, str]) -> str | None:
    """What is wrong with the names and truth values of a bridge's config; addresses are for `networks.py`."""
    for key, value in sorted(config.items()):
        if key not in _NETWORK_OPTIONS and not key.startswith(("user.", "tunnel.", "bgp.peers.")):
            return f'Invalid option for network "{name}" option "{key}"'
        if key in _NETWORK_BOOLEANS and (problem := boolean_problem(value)):
            return f'Invalid value for network "{name}" option "{key}": {problem}'
    return None


def configuration_metadata() -> Document:
    """`GET /metadata/configuration`: the instance options, in the shape of the real one."""
    groups: dict[str, dict[str, list[Any]]] = {}
    for name, option in instance_options().items():
        entry = {key: value for key, value in option.items() if key != "group"}
        group = groups.setdefault(option["group"], {"keys": []})
        group["keys"].append({name: {"longdesc": "", **entry}})
    return {"configs": {"instance": groups}}
