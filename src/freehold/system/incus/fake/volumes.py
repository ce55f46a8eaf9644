"""`/storage-pools` and their custom volumes in the in-memory Incus. Routes for `server.py`."""

from typing import Any

from freehold.system.incus.fake.documents import (
    Document,
    copied,
    listing,
    required_name,
    text_of,
    texts_of,
    url,
)
from freehold.system.incus.fake.options import volume_problem
from freehold.system.incus.fake.routing import Refusal, Request, Routes
from freehold.system.incus.fake.state import State, VolumeKey, now
from freehold.system.incus.fake.volume_snapshots import (
    as_volume,
    restore,
    snapshot_address,
    with_snapshots,
)

_FEATURE = "features.storage.volumes"
_CUSTOM = "/storage-pools/{pool}/volumes/custom"


def new_pool(name: str) -> Document:
    """A pool as the lab has it."""
    return {
        "name": name,
        "driver": "btrfs",
        "description": "",
        "config": {"size": "32212254720", "source": f"/var/lib/incus/disks/{name}.img"},
        "status": "Created",
        "locations": ["none"],
    }


def _list_pools(state: State, request: Request) -> list[Any]:
    return listing(
        request,
        state.pools.values(),
        lambda pool: _rendered_pool(state, pool),
        lambda pool: url("/storage-pools", pool["name"]),
    )


def _get_pool(state: State, request: Request, name: str) -> Document:
    return _rendered_pool(state, state.require_pool(name))


def _rendered_pool(state: State, pool: Document) -> Document:
    """`used_by` names what lives in the pool, images and profiles included."""
    name = pool["name"]
    users = [url("/images", fingerprint) for fingerprint in state.images]
    for (project, instance), document in state.instances.items():
        if any(_is_root(device, name) for device in document["expanded_devices"].values()):
            users.append(url("/instances", instance, project))
    for (project, profile), document in state.profiles.items():
        if any(device.get("pool") == name for device in document["devices"].values()):
            users.append(url("/profiles", profile, project))
    users += [_address(key) for key in state.volumes if key[0] == name]
    return {**copied(pool), "used_by": users}


def _is_root(device: dict[str, str], pool: str) -> bool:
    return device.get("path") == "/" and device.get("pool") == pool


def _list(state: State, request: Request, pool: str) -> list[Any]:
    state.require_pool(pool)
    if request.everywhere:
        chosen = [key for key in state.volumes if key[0] == pool]
    else:
        home = state.home(request.project, _FEATURE)
        chosen = [key for key in state.volumes if key[:2] == (pool, home)]
    return listing(
        request,
        with_snapshots(state, chosen),
        lambda each: as_volume(state, *each) if each[1] else _rendered(state, each[0]),
        lambda each: snapshot_address(*each) if each[1] else _address(each[0]),
    )


def _list_all(state: State, request: Request, pool: str) -> list[Any]:
    """The disks of instances and of their snapshots too; images are left out."""
    found = [
        (project, name, snapshot)
        for (project, name), document in sorted(state.instances.items())
        if (request.everywhere or project == request.project)
        and any(_is_root(device, pool) for device in document["expanded_devices"].values())
        for snapshot in ("", *state.snapshots.get((project, name), {}))
    ]
    disks = listing(
        request,
        found,
        lambda each: _disk(state, *each),
        lambda each: _disk_address(state, pool, *each),
    )
    return [*disks, *_list(state, request, pool)]


def _disk(state: State, project: str, name: str, snapshot: str) -> Document:
    instance = state.instances[project, name]
    of = state.snapshots[project, name][snapshot].document if snapshot else instance
    return {
        "name": f"{name}/{snapshot}" if snapshot else name,
        "type": instance["type"],
        "content_type": "filesystem" if instance["type"] == "container" else "block",
        "description": "",
        "config": {},
        "location": "none",
        "project": project,
        "created_at": of["created_at"],
        "used_by": [] if snapshot else [url("/instances", name, project)],
    }


def _disk_address(state: State, pool: str, project: str, name: str, snapshot: str) -> str:
    path = f"/storage-pools/{pool}/volumes/{state.instances[project, name]['type']}"
    if snapshot:
        return url(f"{path}/{name}/snapshots", snapshot, project)
    return url(path, name, project)


def _list_of_type(state: State, request: Request, pool: str, volume_type: str) -> list[Any]:
    if volume_type not in {"container", "virtual-machine", "image", "custom"}:
        raise Refusal(400, "Invalid storage volume type name")
    return _list(state, request, pool) if volume_type == "custom" else []


def _get(state: State, request: Request, pool: str, name: str) -> Document:
    return _rendered(state, state.require_volume(request.project, pool, name))


def _create(state: State, request: Request, pool: str) -> Document:
    home = state.home(request.project, _FEATURE)
    state.require_pool(pool)
    name = required_name(request.body)
    _check_name(name)
    if (pool, home, name) in state.volumes:
        raise Refusal(409, "Volume by that name already exists")
    config = texts_of(request.body, "config")
    if problem := volume_problem(name, config):
        raise Refusal(500, problem)
    state.volumes[pool, home, name] = {
        "name": name,
        "type": "custom",
        "content_type": request.body.get("content_type") or "filesystem",
        "description": text_of(request.body, "description"),
        "config": config,
        "location": "none",
        "project": home,
        "created_at": now(),
    }
    return {}


def _replace(state: State, request: Request, pool: str, name: str) -> Document:
    """`restore` alone leaves config and description as they are."""
    key = state.require_volume(request.project, pool, name)
    if snapshot := text_of(request.body, "restore"):
        restore(state, key, snapshot)
        if request.body.get("config") is None:
            return {}
    return _write(
        state, key, texts_of(request.body, "config"), text_of(request.body, "description")
    )


def _patch(state: State, request: Request, pool: str, name: str) -> Document:
    key = state.require_volume(request.project, pool, name)
    config = {**state.volumes[key]["config"], **texts_of(request.body, "config")}
    return _write(state, key, config, text_of(request.body, "description"))


def _write(state: State, key: VolumeKey, config: dict[str, str], description: str) -> Document:
    if problem := volume_problem(f"{key[1]}_{key[2]}", config):
        raise Refusal(500, problem)
    state.volumes[key] = {**state.volumes[key], "config": config, "description": description}
    return {}


def _rename(state: State, request: Request, pool: str, name: str) -> None:
    key = state.require_volume(request.project, pool, name)
    wanted = required_name(request.body)
    _check_name(wanted)
    if state.usage.volumes.get(key):
        raise Refusal(500, "Volume is still in use by running instances")
    if (pool, key[1], wanted) in state.volumes:
        raise Refusal(409, "Volume by that name already exists")
    new = (pool, key[1], wanted)
    state.volumes[new] = {**state.volumes.pop(key), "name": wanted}
    state.volume_snapshots[new] = state.volume_snapshots.pop(key, {})
    state.content[new] = state.content.pop(key, "")


def _delete(state: State, request: Request, pool: str, name: str) -> Document:
    key = state.require_volume(request.project, pool, name)
    if state.usage.volumes.get(key):
        raise Refusal(400, "The storage volume is still in use")
    del state.volumes[key]
    state.volume_snapshots.pop(key, None)
    state.content.pop(key, None)
    return {}


def _address(key: VolumeKey) -> str:
    pool, project, name = key
    return url(f"/storage-pools/{pool}/volumes/custom", name, project)


def _rendered(state: State, key: VolumeKey) -> Document:
    users = [url("/instances", name, project) for project, name in state.usage.volumes.get(key, {})]
    return {**copied(state.volumes[key]), "used_by": users}


def _check_name(name: str) -> None:
    if "/" in name:
        raise Refusal(400, "Storage volume names may not contain slashes")


ROUTES: Routes = {
    ("GET", "/storage-pools"): _list_pools,
    ("GET", "/storage-pools/{name}"): _get_pool,
    ("GET", "/storage-pools/{pool}/volumes"): _list_all,
    ("GET", _CUSTOM): _list,
    ("POST", _CUSTOM): _create,
    ("GET", "/storage-pools/{pool}/volumes/{type}"): _list_of_type,
    ("GET", _CUSTOM + "/{name}"): _get,
    ("PUT", _CUSTOM + "/{name}"): _replace,
    ("PATCH", _CUSTOM + "/{name}"): _patch,
    ("POST", _CUSTOM + "/{name}"): _rename,
    ("DELETE", _CUSTOM + "/{name}"): _delete,
}
