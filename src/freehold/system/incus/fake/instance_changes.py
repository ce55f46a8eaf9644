"""PUT and PATCH of `/instances/NAME` in the in-memory Incus. Routes for `server.py`."""

from collections.abc import Mapping
from typing import Any

from freehold.system.incus.fake import devices
from freehold.system.incus.fake.documents import (
    Document,
    copied,
    devices_of,
    text_of,
    texts_of,
)
from freehold.system.incus.fake.expansion import expand, profile_home, store, volume_home
from freehold.system.incus.fake.instances import address
from freehold.system.incus.fake.options import instance_problem
from freehold.system.incus.fake.power import IDMAP, is_running, settle_leases
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found, operation_failed
from freehold.system.incus.fake.snapshots import restore
from freehold.system.incus.fake.state import Key, State
from freehold.system.incus.fake.usage import bridge_of

Devices = Mapping[str, Mapping[str, str]]


def _replace(state: State, request: Request, name: str) -> Document:
    """Everything that is not given is gone, profiles and description included; with `restore` nothing else counts."""
    current = state.require_instance(request.project, name)
    body, key = request.body, (request.project, name)
    if snapshot := text_of(body, "restore"):
        restore(state, key, snapshot)
        return state.operation("Restoring snapshot", {"instances": [address(key)]})
    changed = {
        **current,
        "architecture": body.get("architecture") or current["architecture"],
        "description": text_of(body, "description"),
        "ephemeral": bool(body.get("ephemeral", False)),
        "profiles": list(body.get("profiles") or []),
        "config": texts_of(body, "config"),
        "devices": devices_of(body),
    }
    _write(state, key, changed)
    return state.operation("Updating instance", {"instances": [address(key)]})


def _patch(state: State, request: Request, name: str) -> Document:
    """What is given is laid over what is there."""
    current = state.require_instance(request.project, name)
    body = request.body
    if text_of(body, "restore"):
        raise Refusal(400, "Can't call PATCH in restore mode")
    changed = {
        **current,
        **{
            field: body[field]
            for field in ("description", "profiles", "ephemeral")
            if field in body
        },
        "config": {**current["config"], **texts_of(body, "config")},
        "devices": {**current["devices"], **devices_of(body)},
    }
    _write(state, (request.project, name), changed)
    return {}


def _write(state: State, key: Key, changed: Document) -> None:
    current = state.instances[key]
    _check_profiles(state, key[0], changed["profiles"])
    _check_config(current, changed)
    changed = copied(changed)
    expand(state, changed)
    _check_devices(state, key, changed)
    different = _different(current["expanded_devices"], changed["expanded_devices"])
    for name in different:
        _check_difference(state, key, name, current, changed)
    changed["config"] = _with_hardware_addresses(state, changed, different)
    store(state, key, changed)
    if is_running(changed):
        _note_volumes(state, key, changed, different)
        settle_leases(state, key)


def _check_profiles(state: State, project: str, profiles: list[str]) -> None:
    home = profile_home(state, project)
    if any((home, name) not in state.profiles for name in profiles):
        raise not_found("Profile not found")
    if len(set(profiles)) < len(profiles):
        raise operation_failed("Duplicate profile found in request")


def _check_config(current: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    if problem := instance_problem(changed["config"], changed["type"]):
        raise operation_failed(f"Invalid config: {problem}")
    gone = set(current["config"]) - set(changed["config"])
    if any(key.startswith("volatile.idmap.") for key in gone):
        raise operation_failed("Volatile idmap keys can't be deleted by the user")


def _check_devices(state: State, key: Key, changed: Mapping[str, Any]) -> None:
    if problem := devices.invalid(state, changed["expanded_devices"]):
        raise operation_failed(f"Invalid devices: {problem}")
    if not devices.has_root(changed["expanded_devices"]):
        raise operation_failed(
            "Invalid expanded devices: Failed detecting root disk device: No root device could be found"
        )


def _different(before: Devices, after: Devices) -> list[str]:
    return [name for name, device in after.items() if before.get(name) != device]


def _check_difference(
    state: State, key: Key, name: str, current: Mapping[str, Any], changed: Mapping[str, Any]
) -> None:
    """A NIC with another MAC address is another NIC."""
    before = current["expanded_devices"].get(name)
    device = changed["expanded_devices"][name]
    known = before is not None and before.get("hwaddr") == device.get("hwaddr")
    home = volume_home(state, key[0])
    problem = devices.unfit(state, key, name, device, home, known=known)
    if problem is None and is_running(current) and device["type"] == "gpu":
        problem = devices.unfit_to_start(state, key, name, device, home)
    if problem is None and is_running(current) and (why := devices.unfilterable(state, device)):
        problem = f'Failed to update device "{name}": {why}'
    if problem:
        raise operation_failed(problem)


def _with_hardware_addresses(
    state: State, changed: Document, different: list[str]
) -> dict[str, str]:
    """A NIC without a MAC address of its own keeps the one it was given, or is given one."""
    config = dict(changed["config"])
    for name in different:
        device, option = changed["expanded_devices"][name], f"volatile.{name}.hwaddr"
        if bridge_of(device) is None:
            continue
        if "hwaddr" in device:
            config.pop(option, None)
        else:
            config.setdefault(option, state.new_hardware_address())
    return config


def _note_volumes(state: State, key: Key, changed: Document, different: list[str]) -> None:
    """A volume that a running container is given gets the ids it is shifted to."""
    home = volume_home(state, key[0])
    for name in different:
        device = changed["expanded_devices"][name]
        volume = state.volumes.get((device.get("pool", ""), home, device.get("source", "")))
        if changed["type"] == "container" and volume is not None:
            volume["config"] |= {"volatile.idmap.last": IDMAP, "volatile.idmap.next": IDMAP}


ROUTES: Routes = {
    ("PUT", "/instances/{name}"): _replace,
    ("PATCH", "/instances/{name}"): _patch,
}
