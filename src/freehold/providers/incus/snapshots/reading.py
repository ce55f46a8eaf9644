"""What snapshots there are: one look at an Incus server, as values. Called by `operations.snapshots`.

Incus keeps the snapshots of an instance and those of its volumes apart; here those of one name belong together.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from freehold.providers.incus.marks import owner
from freehold.providers.incus.snapshots.unfinished import RESTORING, Unfinished, unfinished_of
from freehold.system.incus.api import Incus

_EVERYWHERE = {"all-projects": "true"}
_DISKS = {"container", "virtual-machine"}
_NEVER = datetime(1, 1, 2, tzinfo=UTC)  # Incus writes 0001-01-01 for "does not expire"


@dataclass(frozen=True, slots=True)
class VolumePlace:
    """Where a volume is: its pool, and its name in its domain's project (`llm.models`)."""

    pool: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One snapshot of a machine. `volumes` are those it takes in; `has_disk` is false when only those are left of it.

    `expires` is None for one that never does, and where nobody asked.
    """

    name: str
    made: datetime
    expires: datetime | None = None
    volumes: tuple[VolumePlace, ...] = ()
    has_disk: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A machine as Incus has it, with its snapshots, the oldest first. `restoring` names one that is being brought back."""

    domain: str
    machine: str
    instance: str
    status: str
    made: datetime
    is_vm: bool = False
    volumes: tuple[VolumePlace, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    restoring: str | None = None

    @property
    def key(self) -> str:
        return f"{self.domain}/{self.machine}"

    @property
    def is_running(self) -> bool:
        return self.status in {"Running", "Frozen"}

    def snapshot(self, name: str) -> Snapshot | None:
        """The one of that name, None when there is none."""
        return next((each for each in self.snapshots if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Look:
    """All machines of an estate, in the order of their names, and by domain what a run that was killed left half made."""

    targets: tuple[Target, ...]
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)

    def is_left(self, target: Target, name: str) -> bool:
        """Whether whoever took a machine's snapshot of this name was ended before its domain was done."""
        left = self.unfinished.get(target.domain)
        return left is not None and left.name == name and target.machine in left.machines

    def is_whole(self, target: Target, snapshot: Snapshot) -> bool:
        """Whether a machine can go back to it: its disk is there, and whoever took it came to the end."""
        return snapshot.has_disk and not self.is_left(target, snapshot.name)


async def read_targets(incus: Incus, estate: str, *, with_expiry: bool = False) -> Look:
    """The machines of an estate: three recursive reads, and one for each storage pool.

    What the pools list tells all but when a snapshot expires. `with_expiry` asks for that too, which costs Incus a process
    for each machine that runs.
    """
    projects, instances, pools = await asyncio.gather(
        incus.get("/projects", recursion="1"),
        incus.get("/instances", recursion="2" if with_expiry else "1", **_EVERYWHERE),
        incus.get("/storage-pools"),
    )
    names = [url.rsplit("/", 1)[1] for url in pools]
    volumes = await asyncio.gather(
        *(
            incus.get(f"/storage-pools/{name}/volumes", recursion="1", **_EVERYWHERE)
            for name in names
        )
    )
    shelf = _Volumes(estate, dict(zip(names, volumes, strict=True)))
    ours = [raw for raw in instances if owner(raw["config"]) == estate]
    return Look(
        tuple(sorted((_target(raw, shelf) for raw in ours), key=lambda target: target.key)),
        unfinished_of(estate, projects),
    )


class _Volumes:
    """The volumes of an estate by project, and the snapshots of each; also those of instances' own disks."""

    def __init__(self, estate: str, pools: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self._known: set[tuple[str, VolumePlace]] = set()
        self._snapshots: defaultdict[tuple[str, VolumePlace], dict[str, datetime]] = defaultdict(
            dict
        )
        self._of_disks: defaultdict[tuple[str, str], dict[str, datetime]] = defaultdict(dict)
        for pool, volumes in pools.items():
            for raw in volumes:
                self._take_in(pool, raw, estate)

    def _take_in(self, pool: str, raw: Mapping[str, Any], estate: str) -> None:
        name, _, snapshot = raw["name"].partition("/")
        key = raw["project"], VolumePlace(pool, name)
        if raw["type"] in _DISKS:
            if snapshot:
                self._of_disks[raw["project"], name][snapshot] = _time(raw["created_at"])
        elif raw["type"] == "custom" and snapshot:
            self._snapshots[key][snapshot] = _time(raw["created_at"])
        elif raw["type"] == "custom" and owner(raw["config"]) == estate:
            self._known.add(key)

    def of(self, project: str, machine: str, devices: Mapping[str, Any]) -> list[VolumePlace]:
        """Those that belong to a machine and hang on it."""
        places = {
            VolumePlace(device["pool"], device["source"])
            for device in devices.values()
            if device.get("type") == "disk" and "pool" in device and "source" in device
        }
        own = (place for place in places if place.name.startswith(f"{machine}."))
        return sorted((p for p in own if (project, p) in self._known), key=lambda p: p.name)

    def of_disk(self, project: str, instance: str) -> Mapping[str, datetime]:
        """Name and time of an instance's snapshots."""
        return self._of_disks.get((project, instance), {})

    def snapshots(self, project: str, place: VolumePlace) -> Mapping[str, datetime]:
        """Name and time of a volume's snapshots."""
        return self._snapshots.get((project, place), {})


def _target(raw: Mapping[str, Any], shelf: _Volumes) -> Target:
    domain, instance = raw["project"], raw["name"]
    machine = instance.removeprefix(f"{domain}-")
    volumes = shelf.of(domain, machine, raw["devices"])
    return Target(
        domain=domain,
        machine=machine,
        instance=instance,
        status=raw["status"],
        made=_time(raw["created_at"]),
        is_vm=raw["type"] == "virtual-machine",
        volumes=tuple(volumes),
        snapshots=tuple(sorted(_snapshots(raw, volumes, shelf), key=lambda each: each.made)),
        restoring=raw["config"].get(RESTORING),
    )


def _snapshots(
    raw: Mapping[str, Any], volumes: Collection[VolumePlace], shelf: _Volumes
) -> Iterator[Snapshot]:
    of_volumes = {place: shelf.snapshots(raw["project"], place) for place in volumes}
    with_disk = shelf.of_disk(raw["project"], raw["name"])
    expiry = {each["name"]: each["expires_at"] for each in raw.get("snapshots") or ()}
    for name, made in with_disk.items():
        yield Snapshot(
            name=name,
            made=made,
            expires=_expiry(expiry.get(name)),
            volumes=_having(name, of_volumes),
        )
    left = {name: made for times in of_volumes.values() for name, made in times.items()}
    for name in left.keys() - with_disk.keys():
        yield Snapshot(
            name=name, made=left[name], volumes=_having(name, of_volumes), has_disk=False
        )


def _having(
    name: str, of_volumes: Mapping[VolumePlace, Mapping[str, datetime]]
) -> tuple[VolumePlace, ...]:
    return tuple(place for place, times in of_volumes.items() if name in times)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _expiry(text: str | None) -> datetime | None:
    moment = _time(text) if text else None
    return moment if moment and moment > _NEVER else None
