"""What a look at a target means: the services that are there, with the fields that the plan compares. Pure; called by `provider`."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from freehold.planning.resource import Fields, Observed
from freehold.providers.compose import places, sharing
from freehold.providers.compose.desired import (
    HEALTHY,
    KEPT,
    NOT_TAKEN_OVER,
    RUNNING,
    STATE,
    UNHEALTHY,
)
from freehold.providers.compose.look import Found

_GONE = "gone"
_HOLD_NO_PORT = {"created", "exited", "dead"}
_SERVES = {HEALTHY, RUNNING}
_STUCK = {"paused", "dead", "removing"}  # what Compose cannot start as it is


def services(
    target: str, estate: str, found: Found, wanted: Collection[str]
) -> dict[str, Observed]:
    """The estate's own, by name. Of those that are not `wanted` also what a removal that was cut short left."""
    left = _left(found) - {*wanted, *found.containers}
    return {
        **{name: _leftover(target, estate, name, found) for name in sorted(left)},
        **{
            name: _observed(target, estate, name, container, found, orphan=name not in wanted)
            for name, container in found.containers.items()
        },
    }


def _left(found: Found) -> set[str]:
    """The services that have an entry, files or secrets, whether or not they have a container."""
    folders = {"compose/files/": 2, "secrets/": 1}
    of_files = {
        path.split("/")[depth]
        for path in (*found.digests, *found.rights)
        for start, depth in folders.items()
        if path.startswith(start)
    }
    return of_files | found.entries


def _leftover(target: str, estate: str, name: str, found: Found) -> Observed:
    """Of the volumes those whose names begin like its own."""
    kept = [
        each
        for each, mark in found.volumes.items()
        if mark == estate and each.startswith(f"{estate}_{name}-")
    ]
    return Observed(
        address=places.service_address(target, name),
        fields={STATE: "no container"},
        depends_on=frozenset({places.compose_address(target), *places.machine_of(target)}),
        has_data=False,
        stays=tuple(sorted(kept)),
    )


def _observed(
    target: str, estate: str, name: str, container: Mapping[str, Any], found: Found, *, orphan: bool
) -> Observed:
    """An orphan keeps its ports until it goes; of the others the plan says who has which."""
    kept = tuple(sorted(named_volumes(container)))
    fields = _fields(estate, container, found)
    holds = orphan and container["status"] not in _HOLD_NO_PORT
    return Observed(
        address=places.service_address(target, name),
        fields=fields
        if name not in found.previous or fields[STATE] not in _SERVES
        else {**fields, KEPT: "what ran before"},
        claims=places.port_claims(target, fields) if holds else frozenset(),
        depends_on=frozenset({places.compose_address(target), *places.machine_of(target)}),
        has_data=False,
        stays=kept,
    )


def _fields(estate: str, container: Mapping[str, Any], found: Found) -> Fields:
    """Those on the label, and what is real instead of what the label says."""
    known = {
        **_labelled(container),
        "image": container["image"],
        **_state(container),
    }
    mounted = {mount["Destination"]: mount["Source"] for mount in container["mounts"]}
    root = places.root(estate) + "/"
    for kind, real in (("files", _real_digest), ("secrets", _real_rights)):
        if isinstance(shown := known.get(kind), dict):
            known[kind] = {
                path: real(str(text), mounted.get(path, "").removeprefix(root), found)
                for path, text in shown.items()
            }
    if sharing.NETWORK in known:
        known[sharing.NETWORK] = sharing.real_network(known[sharing.NETWORK], container, found.containers)  # fmt: skip
    if _has_mark(root, mounted.values(), found):
        known[STATE] = f"{known[STATE]}, {NOT_TAKEN_OVER}"
    return known


def _has_mark(root: str, sources: Iterable[str], found: Found) -> bool:
    """Whether what it was given is still marked as not taken over: a run was killed before that, or it failed."""
    inside = (source.removeprefix(root).split("/") for source in sources)
    folders = {"/".join(parts[:3]) for parts in inside if parts[0] == "secrets"}
    return any(places.takeover_mark(folder) in found.rights for folder in folders)


def _labelled(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """Nothing of a label that somebody else wrote: then all differs, and the service is started as it is to be."""
    try:
        fields = json.loads(container["labels"].get(places.FIELDS_LABEL, ""))
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _state(container: Mapping[str, Any]) -> Mapping[str, str]:
    status, health = str(container["status"]), container["health"]
    if status in _STUCK:
        return {STATE: status, UNHEALTHY: f"it is {status}"}
    if status != RUNNING:
        ended = f" ({container['exit']})" if status == "exited" else ""
        return {STATE: status + ended}
    if health == UNHEALTHY:
        return {STATE: UNHEALTHY, UNHEALTHY: "it runs and does not serve"}
    return {STATE: str(health or RUNNING)}


def named_volumes(container: Mapping[str, Any]) -> Iterator[str]:
    """Its named ones; those that Docker named itself have 64 digits and belong to the container alone."""
    for mount in container["mounts"]:
        if mount["Type"] == "volume" and len(mount["Name"]) < 64:
            yield mount["Name"]


def _real_digest(shown: str, path: str, found: Found) -> str:
    digest, _, rest = shown.partition(" ")
    real = found.digests.get(path, _GONE)[: len(digest)]
    return f"{real} {rest}"


def _real_rights(shown: str, path: str, found: Found) -> str:
    """Mode and owner; the value is not looked at. An owner of root is not said."""
    fingerprint, _, _ = shown.partition(" ")
    return f"{fingerprint} {found.rights.get(path, _GONE)}".removesuffix(" 0:0")
