"""`/instances/NAME/snapshots` of the in-memory Incus, and going back to one. Routes for `server.py`.

`instance_changes.py` restores, `instances.py` shows, moves and forgets the snapshots of an instance with it.
"""

from collections.abc import Mapping
from typing import Any

from freehold.system.incus.fake.documents import NEVER, Document, copied, text_of, url
from freehold.system.incus.fake.expansion import expand, store
from freehold.system.incus.fake.power import is_running, start, stop
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found, operation_failed
from freehold.system.incus.fake.snapshot_options import expiry_of_new, given_expiry, next_name
from freehold.system.incus.fake.state import Key, Snapshot, State, now

_SNAPSHOTS = "/instances/{name}/snapshots"
_OWN = ("architecture", "config", "devices", "ephemeral")  # what comes back with a snapshot


def rendered_snapshots(state: State, key: Key) -> list[Document] | None:
    """The snapshots as a full instance shows them: the oldest first, None when there is none."""
    return [_rendered(state, key, name) for name in state.snapshots.get(key, {})] or None


def restore(state: State, key: Key, name: str) -> None:
    """Go back: a running instance is killed and ends running. Raises Refusal when the snapshot is not there.

    As with the real server the profiles stay as they are, the description is lost, and what the snapshot's devices
    need is asked for only by the next start.
    """
    snapshot = state.snapshots.get(key, {}).get(name)
    if snapshot is None:
        raise operation_failed(f"Snapshot {key[1]}/{name} does not exist")
    instance = state.instances[key]
    if running := is_running(instance):
        instance["ephemeral"] = False  # else it would be gone once it stops
        stop(state, key)
    instance |= copied({field: snapshot.document[field] for field in _OWN})
    instance["description"] = ""
    instance["config"]["volatile.uuid.generation"] = state.new_uuid()
    state.content[key] = snapshot.content
    store(state, key, instance)
    if running:
        start(state, key)


def _list(state: State, request: Request, name: str) -> list[Any]:
    """An instance that does not exist has none, unless the documents are asked for."""
    key = (request.project, name)
    if request.recursion:
        state.require_instance(*key)
        return rendered_snapshots(state, key) or []
    return [_address(key, snapshot) for snapshot in state.snapshots.get(key, {})]


def _get(state: State, request: Request, name: str, snapshot: str) -> Document:
    return _rendered(state, _found(state, request, name, snapshot), snapshot)


def _rendered(state: State, key: Key, name: str) -> Document:
    """The profiles are those that the instance has now, and so is what they add."""
    document = copied(state.snapshots[key][name].document)
    instance = state.instances[key]
    document |= {"project": key[0], "profiles": list(instance["profiles"])}
    expand(state, document)
    del document["project"]
    return document


def _create(state: State, request: Request, name: str) -> Document:
    body, key = request.body, (request.project, name)
    instance = state.require_instance(*key)
    wanted = text_of(body, "name") or next_name(state.snapshots.get(key, {}))
    _check_slashes(wanted)
    expires_at = expiry_of_new(body, instance["expanded_config"])
    _check_new(state, key, wanted, body)
    document = copied({field: instance[field] for field in _OWN}) | {
        "name": wanted,
        "created_at": now(),
        "expires_at": expires_at,
        "last_used_at": NEVER,
        "stateful": False,
        "size": -1,  # nothing is measured here: as a pool without quotas answers
    }
    snapshot = Snapshot(document, state.content[key])
    state.snapshots.setdefault(key, {})[wanted] = snapshot
    return _operation(state, "Snapshotting instance", key, wanted)


def _check_new(state: State, key: Key, name: str, body: Mapping[str, Any]) -> None:
    """What only the operation finds out."""
    if body.get("stateful"):
        raise operation_failed(
            "Stateful snapshots require that the instance has migration.stateful be set to true"
        )
    failure = f'Failed creating instance snapshot record "{name}": '
    if " " in name:
        raise operation_failed(
            f"{failure}Invalid instance snapshot name: Cannot contain space or / characters"
        )
    if name in state.snapshots.get(key, {}):
        raise operation_failed(
            f'{failure}Add snapshot info to the database: Failed to create "instances_snapshots" entry: '
            "UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name"
        )


def _check_slashes(name: str) -> None:
    if "/" in name:
        raise Refusal(400, 'Invalid snapshot name: Cannot contain "/"')


def _change(state: State, request: Request, name: str, snapshot: str) -> Document:
    """PUT and PATCH are one here: an expiry that is not given stays, and the zero moment takes it away."""
    key = _found(state, request, name, snapshot)
    if (given := given_expiry(request.body)) is not None:
        state.snapshots[key][snapshot].document["expires_at"] = given
    return _operation(state, "Updating snapshot", key, snapshot)


def _delete(state: State, request: Request, name: str, snapshot: str) -> Document:
    """Not even `security.protection.delete` of the instance keeps one."""
    key = _found(state, request, name, snapshot)
    del state.snapshots[key][snapshot]
    return _operation(state, "Deleting snapshot", key, snapshot)


def _found(state: State, request: Request, name: str, snapshot: str) -> Key:
    """The instance. Raises Refusal when there is none, or no such snapshot of it."""
    key = (request.project, name)
    state.require_project(request.project)
    if key not in state.instances:
        raise not_found(
            f'Failed to fetch instance "{name}/{snapshot}" in project "{key[0]}": Instance not found'
        )
    if snapshot not in state.snapshots.get(key, {}):
        raise not_found(
            f'Failed to fetch snapshot "{snapshot}" of instance "{name}" in project "{key[0]}": '
            "Instance_snapshot not found"
        )
    return key


def _address(key: Key, snapshot: str) -> str:
    project, name = key
    return url(f"/instances/{name}/snapshots", snapshot, project)


def _operation(state: State, description: str, key: Key, snapshot: str) -> Document:
    resources = {
        "instances": [url("/instances", key[1], key[0])],
        "instances_snapshots": [_address(key, snapshot)],
    }
    return state.operation(description, resources)


ROUTES: Routes = {
    ("GET", _SNAPSHOTS): _list,
    ("POST", _SNAPSHOTS): _create,
    ("GET", _SNAPSHOTS + "/{snapshot}"): _get,
    ("PUT", _SNAPSHOTS + "/{snapshot}"): _change,
    ("PATCH", _SNAPSHOTS + "/{snapshot}"): _change,
    ("DELETE", _SNAPSHOTS + "/{snapshot}"): _delete,
}
