"""`/instances` of the in-memory Incus: reading, creating, deleting, renaming, rebuilding. Routes for `server.py`.

Changing one is in `instance_changes.py`, its state in `power.py`.
"""

from collections.abc import Mapping
from typing import Any

from freehold.system.incus.fake import devices
from freehold.system.incus.fake.documents import (
    Document,
    copied,
    devices_of,
    listing,
    text_of,
    texts_of,
    url,
)
from freehold.system.incus.fake.expansion import expand, forget, profile_home, store, volume_home
from freehold.system.incus.fake.machine_state import machine_state
from freehold.system.incus.fake.options import instance_problem, is_true
from freehold.system.incus.fake.power import IDMAP, is_running, start
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found, operation_failed
from freehold.system.incus.fake.snapshots import rendered_snapshots
from freehold.system.incus.fake.state import Key, State, now
from freehold.system.incus.fake.usage import bridge_of

_TYPES = frozenset({"container", "virtual-machine"})
_SOURCES = frozenset({"image", "none"})
_NEVER_USED = "1970-01-01T00:00:00Z"


def address(key: Key) -> str:
    """The address of an instance."""
    return url("/instances", key[1], key[0])


def _list(state: State, request: Request) -> list[Any]:
    """A project that does not exist has no instances: only this collection says so instead of refusing."""
    chosen = list(state.instances)
    if not request.everywhere:
        chosen = [key for key in chosen if key[0] == request.project]
    full = request.recursion > 1
    return listing(request, sorted(chosen), lambda key: _rendered(state, key, full=full), address)


def _get(state: State, request: Request, name: str) -> Document:
    state.require_instance(request.project, name)
    return _rendered(state, (request.project, name), full=request.recursion > 0)


def _rendered(state: State, key: Key, *, full: bool = False) -> Document:
    document = copied(state.instances[key])
    if full:
        document |= {
            "backups": None,
            "snapshots": rendered_snapshots(state, key),
            "state": machine_state(state, key),
        }
    return document


def _create(state: State, request: Request) -> Document:
    """What is refused at once comes first; the rest is found out by the operation."""
    body, project = request.body, request.project
    if project not in state.projects:
        raise not_found("Failed loading project: Project not found")
    name = text_of(body, "name") or f"instance-{state.random.getrandbits(32):08x}"
    check_name(name)
    _check_kind(body)
    profiles = ["default"] if body.get("profiles") is None else list(body["profiles"])
    for profile in profiles:
        if (profile_home(state, project), profile) not in state.profiles:
            raise Refusal(500, f'Requested profile "{profile}" doesn\'t exist')
    key = (project, name)
    instance = _new(state, key, body, profiles)
    _check_new(state, key, instance)
    if request.progress is not None:
        request.progress("Unpacking image: 100% (21.29GB/s)")
    store(state, key, instance)
    if body.get("start"):
        start(state, key)
    return state.operation("Creating instance", {"instances": [address(key)]})


def check_name(name: str) -> None:
    """Refuse what is not a host name (RFC 1123) or is a number."""
    problem = None
    if len(name) > 63:
        problem = "Name must be 1-63 characters long"
    elif name.startswith("-") or name.endswith("-"):
        problem = f'Name must not {"start" if name.startswith("-") else "end"} with "-" character'
    elif name.isdigit():
        problem = "Name cannot be a number"
    elif not all(each.isascii() and (each.isalnum() or each == "-") for each in name):
        problem = "Name can only contain alphanumeric and hyphen characters"
    if problem:
        raise Refusal(400, f"Invalid instance name: {problem}")


def _check_kind(body: Mapping[str, Any]) -> None:
    if (body.get("type") or "container") not in _TYPES:
        raise Refusal(400, "Invalid instance type")
    source = body.get("source") or {}
    if source.get("type", "") not in _SOURCES:
        raise Refusal(400, f"Unknown source type {source.get('type', '')}")
    if source["type"] == "image" and not {"alias", "fingerprint", "properties"} & set(source):
        raise Refusal(
            500, "Must specify one of alias, fingerprint or properties for init from image"
        )


def _new(state: State, key: Key, body: Mapping[str, Any], profiles: list[str]) -> Document:
    instance_type = body.get("type") or "container"
    config = texts_of(body, "config")
    given = devices_of(body)
    if unknown := [name for name, each in given.items() if each.get("type") not in devices.TYPES]:
        kind = given[unknown[0]].get("type", "")
        raise operation_failed(f'Failed creating instance record: Invalid device type "{kind}"')
    instance: Document = {
        "name": key[1],
        "project": key[0],
        "type": instance_type,
        "architecture": body.get("architecture") or "x86_64",
        "description": text_of(body, "description"),
        "profiles": profiles,
        "config": {**config, **image_config(state, body["source"], instance_type, "creation")},
        "devices": given,
        "ephemeral": bool(body.get("ephemeral", False)),
        "stateful": False,
        "status": "Stopped",
        "status_code": 102,
        "created_at": now(),
        "last_used_at": _NEVER_USED,
        "location": "none",
    }
    expand(state, instance)
    instance["config"] |= _volatile(state, instance)
    return instance


def image_config(
    state: State, source: Mapping[str, Any], instance_type: str, purpose: str
) -> dict[str, str]:
    """What an instance takes over from its image; nothing for an empty one. Raises Refusal: no such image."""
    if source.get("type") == "none":
        return {}
    fingerprint = state.fingerprint(source, purpose)
    image = state.images[fingerprint]
    if image["type"] != instance_type:
        raise operation_failed(
            f'Requested image\'s type "{image["type"]}" doesn\'t match instance type "{instance_type}"'
        )
    properties = {f"image.{key}": value for key, value in image["properties"].items()}
    return {**properties, "volatile.base_image": fingerprint}


def _volatile(state: State, instance: Mapping[str, Any]) -> dict[str, str]:
    """The keys that the server makes with an instance. The idmap belongs to containers."""
    identifier = state.new_uuid()
    keys = {
        "volatile.apply_template": "create",
        "volatile.cloud-init.instance-id": state.new_uuid(),
        "volatile.uuid": identifier,
        "volatile.uuid.generation": identifier,
    }
    if instance["type"] == "container":
        keys |= {
            "volatile.idmap.base": "0",
            "volatile.idmap.next": IDMAP,
            "volatile.last_state.idmap": "[]",
        }
    for name, device in instance["expanded_devices"].items():
        if bridge_of(device) is not None and "hwaddr" not in device:
            keys[f"volatile.{name}.hwaddr"] = state.new_hardware_address()
    return keys


def _check_new(state: State, key: Key, instance: Document) -> None:
    """A static address that another one has is refused only when the instance starts."""
    start = "Failed creating instance record: "
    if problem := instance_problem(instance["config"], instance["type"]):
        raise operation_failed(start + problem)
    if instance["type"] == "virtual-machine" and not state.behaviour.virtual_machines:
        raise operation_failed(
            f'{start}Instance type "virtual-machine" is not supported on this server: '
            "vhost_vsock kernel module not loaded"
        )
    if key in state.instances:
        raise operation_failed(
            f'{start}Add instance info to the database: Failed to create "instances" entry: UNIQUE constraint '
            "failed: instances.project_id, instances.name"
        )
    start += "Failed initializing instance: "
    if problem := devices.invalid(state, instance["expanded_devices"]):
        raise operation_failed(f"{start}Invalid devices: {problem}")
    if not devices.has_root(instance["expanded_devices"]):
        raise operation_failed(f"{start}Failed getting root disk: No root device could be found")
    for name, device in instance["expanded_devices"].items():
        if device["type"] == "disk" and (
            problem := devices.unfit(
                state, key, name, device, volume_home(state, key[0]), known=False
            )
        ):
            raise operation_failed(start + problem)


def _rename(state: State, request: Request, name: str) -> Document:
    instance = state.require_instance(request.project, name)
    wanted = text_of(request.body, "name")
    check_name(wanted)
    if (request.project, wanted) in state.instances:
        raise Refusal(409, f'Name "{wanted}" already in use')
    if is_running(instance):
        raise operation_failed("Renaming of running instance not allowed")
    former, key = (request.project, name), (request.project, wanted)
    snapshots, content = state.snapshots.pop(former, {}), state.content[former]
    forget(state, former)
    instance["name"] = wanted
    instance["config"] |= {
        "volatile.apply_template": "rename",
        "volatile.cloud-init.instance-id": state.new_uuid(),
    }
    store(state, key, instance)
    state.snapshots[key], state.content[key] = snapshots, content
    return state.operation("Renaming instance", {"instances": [address(key)]})


def _rebuild(state: State, request: Request, name: str) -> Document:
    """Only the root disk and what came from the image change."""
    if (request.project, name) not in state.instances:
        raise not_found("Failed loading instance: Instance not found")
    key = (request.project, name)
    instance = state.instances[key]
    if is_running(instance):
        raise Refusal(400, "Instance must be stopped to be rebuilt")
    new = image_config(state, request.body.get("source") or {}, instance["type"], "rebuild")
    if state.snapshots.get(key):
        how = "instance from image" if new else "as an empty instance"
        raise operation_failed(
            f"Failed rebuilding {how}: Cannot remove an instance volume that has snapshots"
        )
    kept = {
        option: value
        for option, value in instance["config"].items()
        if not option.startswith("image.") and option != "volatile.base_image"
    }
    instance["config"] = {"volatile.apply_template": "create", **kept, **new}
    if request.progress is not None:
        request.progress("Unpacking image: 100% (21.29GB/s)")
    state.content.pop(key, None)
    store(state, key, instance)
    return state.operation("Rebuilding instance", {"instances": [address(key)]})


def _delete(state: State, request: Request, name: str) -> Document:
    instance = state.require_instance(request.project, name)
    if is_running(instance):
        raise Refusal(400, "Instance is running")
    if is_true(instance["expanded_config"].get("security.protection.delete")):
        raise operation_failed("Instance is protected")
    forget(state, (request.project, name))
    return state.operation("Deleting instance", {"instances": [address((request.project, name))]})


ROUTES: Routes = {
    ("GET", "/instances"): _list,
    ("POST", "/instances"): _create,
    ("GET", "/instances/{name}"): _get,
    ("POST", "/instances/{name}"): _rename,
    ("POST", "/instances/{name}/rebuild"): _rebuild,
    ("DELETE", "/instances/{name}"): _delete,
}
