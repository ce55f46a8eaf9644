"""Snapshots of custom volumes of the in-memory Incus, and going back to one. Routes for `server.py`.

`volumes.py` restores, and lists the snapshots among the volumes.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from freehold.system.incus.fake.documents import (
    NEVER,
    Document,
    copied,
    text_of,
    url,
)
from freehold.system.incus.fake.power import is_running
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found
from freehold.system.incus.fake.snapshot_options import expiry_of_new, given_expiry, next_name
from freehold.system.incus.fake.state import Snapshot, State, VolumeKey, now

_SNAPSHOTS = "/storage-pools/{pool}/volumes/custom/{name}/snapshots"
_OWN = ("config", "description", "content_type")
_UNKNOWN = "(ERROR: Could not statfs: No such file or directory)"  # what btrfs says, not Incus


def with_snapshots(state: State, keys: Iterable[VolumeKey]) -> list[tuple[VolumeKey, str]]:
    """Volumes and their snapshots, as the list of volumes has them: by name; "" stands for the volume itself."""
    found = [
        (key, snapshot) for key in keys for snapshot in ("", *state.volume_snapshots.get(key, {}))
    ]
    return sorted(found, key=lambda each: (each[0][:2], full_name(*each)))


def full_name(key: VolumeKey, snapshot: str) -> str:
    """`VOLUME` or `VOLUME/SNAPSHOT`."""
    return f"{key[2]}/{snapshot}" if snapshot else key[2]


def snapshot_address(key: VolumeKey, snapshot: str) -> str:
    """The address of a snapshot."""
    pool, project, name = key
    return url(f"/storage-pools/{pool}/volumes/custom/{name}/snapshots", snapshot, project)


def as_volume(state: State, key: VolumeKey, snapshot: str) -> Document:
    """A snapshot as the list of volumes shows it; who uses the volume does not use this."""
    document = copied(state.volume_snapshots[key][snapshot].document)
    del document["expires_at"]
    document |= {"name": full_name(key, snapshot), "used_by": []}
    return {**copied(state.volumes[key]), **document}


def restore(state: State, key: VolumeKey, name: str) -> None:
    """Bring the data back; config and description stay. Raises Refusal while a running instance uses the volume."""
    users = state.usage.volumes.get(key, {})
    if any(is_running(state.instances[user]) for user in users):
        raise Refusal(500, "Cannot restore custom volume used by running instances")
    if "/" in name:
        raise Refusal(500, "Invalid snapshot name")
    snapshot = state.volume_snapshots.get(key, {}).get(name)
    if snapshot is None:
        raise Refusal(500, f"Failed to run: btrfs subvolume snapshot: exit status 1 {_UNKNOWN}")
    state.content[key] = snapshot.content


def _list(state: State, request: Request, pool: str, name: str) -> list[Any]:
    """The real server shows each with its full name, without the kind of content, and addresses without project."""
    key = state.require_volume(request.project, pool, name)
    snapshots = state.volume_snapshots.get(key, {})
    if not request.recursion:
        return [snapshot_address((pool, "default", name), each) for each in snapshots]
    return [_listed(key, each.document) for each in snapshots.values()]


def _listed(key: VolumeKey, document: Mapping[str, Any]) -> Document:
    expires_at = document["expires_at"]
    return {
        **copied(dict(document)),
        "name": full_name(key, document["name"]),
        "expires_at": None if expires_at == NEVER else expires_at,
        "content_type": "",
    }


def _get(state: State, request: Request, pool: str, name: str, snapshot: str) -> Document:
    key = _found(state, request, pool, name, snapshot)
    return copied(state.volume_snapshots[key][snapshot].document)


def _create(state: State, request: Request, pool: str, name: str) -> Document:
    key = state.require_volume(request.project, pool, name)
    snapshots, volume = state.volume_snapshots.setdefault(key, {}), state.volumes[key]
    wanted = text_of(request.body, "name") or next_name(snapshots)
    expires_at = expiry_of_new(request.body, volume["config"])
    _check_name(wanted)
    if wanted in snapshots:
        raise Refusal(409, f'Snapshot "{wanted}" already in use')
    document = copied({field: volume[field] for field in _OWN})
    document |= {"name": wanted, "created_at": now(), "expires_at": expires_at}
    snapshots[wanted] = Snapshot(document, state.content[key])
    resources = {
        "storage_volumes": [url(f"/storage-pools/{pool}/volumes/custom", name, key[1])],
        "storage_volume_snapshots": [snapshot_address(key, wanted)],
    }
    return state.operation("Creating storage volume snapshot", resources)


def _check_name(name: str) -> None:
    if "/" in name:
        raise Refusal(400, 'Storage name cannot contain "/"')
    if any(each.isspace() for each in name):
        raise Refusal(400, "Storage name cannot contain white space")


def _replace(state: State, request: Request, pool: str, name: str, snapshot: str) -> Document:
    """What is not given is gone, the expiry too."""
    key = _found(state, request, pool, name, snapshot)
    expires_at = given_expiry(request.body) or NEVER
    description = text_of(request.body, "description")
    document = state.volume_snapshots[key][snapshot].document
    document |= {"expires_at": expires_at, "description": description}
    return {}


def _patch(state: State, request: Request, pool: str, name: str, snapshot: str) -> Document:
    key = _found(state, request, pool, name, snapshot)
    document = state.volume_snapshots[key][snapshot].document
    expires_at = given_expiry(request.body) or document["expires_at"]
    description = text_of(request.body, "description") or document["description"]
    document |= {"expires_at": expires_at, "description": description}
    return {}


def _delete(state: State, request: Request, pool: str, name: str, snapshot: str) -> Document:
    key = _found(state, request, pool, name, snapshot)
    del state.volume_snapshots[key][snapshot]
    return _operation(state, "Deleting storage volume snapshot", key, snapshot)


def _found(state: State, request: Request, pool: str, name: str, snapshot: str) -> VolumeKey:
    key = state.require_volume(request.project, pool, name)
    if snapshot not in state.volume_snapshots.get(key, {}):
        raise not_found("Storage pool volume not found")
    return key


def _operation(state: State, description: str, key: VolumeKey, snapshot: str) -> Document:
    resources = {"storage_volume_snapshots": [snapshot_address(key, snapshot)]}
    return state.operation(description, resources)


ROUTES: Routes = {
    ("GET", _SNAPSHOTS): _list,
    ("POST", _SNAPSHOTS): _create,
    ("GET", _SNAPSHOTS + "/{snapshot}"): _get,
    ("PUT", _SNAPSHOTS + "/{snapshot}"): _replace,
    ("PATCH", _SNAPSHOTS + "/{snapshot}"): _patch,
    ("DELETE", _SNAPSHOTS + "/{snapshot}"): _delete,
}
