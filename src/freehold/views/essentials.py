"""What matters of a resource that is to be created, in a few words for one line of the plan. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from freehold.model import GpuProfile
from freehold.planning.change import Change
from freehold.planning.resource import Fields
from freehold.views.words import count, value

_LONGEST = 48
_ASKED = (
    ("apt", "package", "packages"),
    ("pip", "Python package", "Python packages"),
    ("git", "repository", "repositories"),
    ("script", "script", "scripts"),
)
_MOST = 6
_SECRETS = "/run/secrets/"


def essentials(change: Change) -> list[str]:
    """The few facts somebody checks before saying yes: `container`, `debian/13`, `10.100.3.10`."""
    facts = _KINDS.get(change.address.kind, _any_kind)(change.desired or {})
    return [value(fact, _LONGEST) for fact in facts]


def _instance(fields: Fields) -> Iterator[str]:
    config, devices = fields.get("config", {}), fields.get("devices", {})
    yield from _present(fields, "type", "image")
    yield from _present(devices.get("eth0", {}), "ipv4.address")
    if cpu := config.get("limits.cpu"):
        yield count(int(cpu), "CPU") if str(cpu).isdigit() else f"CPUs {cpu}"
    if memory := config.get("limits.memory"):
        yield f"{memory} of memory"
    if size := devices.get("root", {}).get("size"):
        yield f"{size} of disk"
    if any(device.get("type") == "gpu" for device in devices.values()) or any(
        profile in fields.get("profiles", []) for profile in GpuProfile
    ):
        yield "GPU"
    if extra := [name for name in fields.get("profiles", []) if name != "default"]:
        yield f"{'profile' if len(extra) == 1 else 'profiles'} {' '.join(extra)}"
    for device in devices.values():
        if "source" in device:
            yield f"volume {device['source']} at {device.get('path', '?')}"


def _bridge(fields: Fields) -> Iterator[str]:
    yield from _present(fields, "name")
    yield from _present(fields.get("config", {}), "ipv4.address")


def _lab_host(fields: Fields) -> Iterator[str]:
    """Where it is, and how it can be entered when it is new."""
    nic, way = fields.get("devices", {}).get("eth0", {}), fields.get("delivered", {})
    yield from _present(nic, "ipv4.address")
    if fields.get("declared") != nic.get("ipv4.address"):
        yield from _present(fields, "declared")
    if way:
        yield f"SSH as {way.get('user')} at port {way.get('port')}"


def _volume(fields: Fields) -> Iterator[str]:
    yield from _present(fields.get("config", {}), "size")
    if pool := fields.get("pool"):
        yield f"in the pool {pool}"


def _profile(fields: Fields) -> Iterator[str]:
    config = list(_pairs(fields.get("config", {})))
    yield from config[:_MOST]
    if devices := sorted(fields.get("devices", {})):
        yield f"{'device' if len(devices) == 1 else 'devices'} {' '.join(devices)}"


def _project(fields: Fields) -> Iterator[str]:
    yield from _present(fields, "description")


def _firewall(fields: Fields) -> Iterator[str]:
    yield f"{count(len(fields.get('zones', {})), 'domain')} kept apart"
    if opened := fields.get("open"):
        yield f"{count(len(opened), 'pair')} with policies"
    yield from _present(fields, "table")


def _router(fields: Fields) -> Iterator[str]:
    yield f"through {fields.get('machine', {}).get('name', '?')}"
    yield f"{count(len(fields.get('zones', {})), 'domain')} kept apart"
    if opened := fields.get("open"):
        yield f"{count(len(opened), 'pair')} with policies"


def _host_agent(fields: Fields) -> Iterator[str]:
    yield f"for the control machines of {fields.get('network', '?')}"


def _timer(fields: Fields) -> Iterator[str]:
    yield f"scheduled snapshots, every {fields.get('every', '?')}"


def _provision(fields: Fields) -> Iterator[str]:
    for name, one, several in _ASKED:
        if asked := fields.get(name):
            yield f"{one if len(asked) == 1 else several} {' '.join(asked)}"
    if placed := [name for name in fields.get("files", {}) if name not in fields.get("script", [])]:
        yield count(len(placed), "file")
    if roles := [name for name in fields.get("roles", {}) if not name.endswith("/")]:
        yield f"{'role' if len(roles) == 1 else 'roles'} {' '.join(roles)}"


def _service(fields: Fields) -> Iterator[str]:
    yield from _present(fields, "image")
    if ports := fields.get("ports"):
        yield f"{'port' if len(ports) == 1 else 'ports'} {' '.join(ports)}"
    if volumes := fields.get("volumes"):
        yield f"{'volume' if len(volumes) == 1 else 'volumes'} {' '.join(volumes)}"
    every = fields.get("secrets") or {}
    if secrets := [path for path in every if path.startswith(_SECRETS)]:
        yield count(len(secrets), "secret")
    if files := len(every) - len(secrets):
        yield count(files, "file that holds secrets", "files that hold secrets")


def _compose(fields: Fields) -> Iterator[str]:
    services = fields.get("services", [])
    yield f"{'service' if len(services) == 1 else 'services'} {' '.join(services)}"


def _snapshot(fields: Fields) -> Iterator[str]:
    yield " ".join(fields.get("machines", []))
    if volumes := fields.get("volumes"):
        yield count(volumes, "volume")
    if expires := fields.get("expires"):
        yield f"expires {expires[:16].replace('T', ' ')}"


def _secret(fields: Fields) -> Iterator[str]:
    yield from _present(fields, "value")
    if length := fields.get("length"):
        yield count(length, "character")
    if users := fields.get("for"):
        yield f"for {' '.join(users)}"


def _any_kind(fields: Fields) -> Iterator[str]:
    yield from list(_pairs(fields))[:_MOST]


def _present(fields: Fields, *keys: str) -> Iterator[str]:
    yield from (str(fields[key]) for key in keys if fields.get(key))


def _pairs(fields: Fields) -> Iterator[str]:
    for key, of in sorted(fields.items()):
        if of and not isinstance(of, Mapping | list):
            yield f"{key}={of}"


_KINDS: dict[str, Callable[[Fields], Iterator[Any]]] = {
    "instance": _instance,
    "bridge": _bridge,
    "lab-host": _lab_host,
    "lab-network": _bridge,
    "volume": _volume,
    "profile": _profile,
    "project": _project,
    "firewall": _firewall,
    "router": _router,
    "host-agent": _host_agent,
    "timer": _timer,
    "provision": _provision,
    "service": _service,
    "compose": _compose,
    "snapshot": _snapshot,
    "secret": _secret,
}
