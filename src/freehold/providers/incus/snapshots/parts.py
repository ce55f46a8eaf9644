"""The single requests: a snapshot of an instance or of a volume is taken, deleted, brought back.

What is to be deleted and is gone already is as wanted. Paths are those of Incus's REST API,
https://linuxcontainers.org/incus/docs/main/rest-api/. Called by `making.py` and `returning.py`.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from freehold.providers.incus.snapshots.reading import Target, VolumePlace
from freehold.system.incus.api import Incus, IncusError

_NEVER = (
    "0001-01-01T00:00:00Z"  # left out, it would be what `snapshots.expiry` of the instance says
)
_NOT_FOUND = 404


async def take(incus: Incus, target: Target, name: str, expires: datetime | None = None) -> None:
    """A snapshot of a machine with its volumes. Every part is tried; raises the first error when one fails."""
    body = {"name": name, "expires_at": expires.isoformat() if expires else _NEVER}
    paths = [f"{disk(target)}/snapshots", *(f"{volume(v)}/snapshots" for v in target.volumes)]
    await all_of(_post(incus, path, body, target.domain) for path in paths)


async def remove(incus: Incus, target: Target, name: str, volumes: Iterable[VolumePlace]) -> None:
    """Delete a snapshot, that of the instance last: as long as it is there, the rest is known to belong to it."""
    end = f"snapshots/{quote(name, safe='')}"
    await all_of(_delete(incus, f"{volume(each)}/{end}", target.domain) for each in volumes)
    await _delete(incus, f"{disk(target)}/{end}", target.domain)


async def bring_back_volume(incus: Incus, target: Target, place: VolumePlace, name: str) -> None:
    """The content of a volume; no running machine may use it."""
    await incus.send("PUT", volume(place), {"restore": name}, project=target.domain)


async def bring_back_disk(incus: Incus, target: Target, name: str) -> None:
    """The root disk and the settings that the instance had then."""
    await incus.send("PUT", disk(target), {"restore": name}, project=target.domain)


def disk(target: Target) -> str:
    """The path of the instance."""
    return f"/instances/{target.instance}"


def volume(place: VolumePlace) -> str:
    """The path of a volume."""
    return f"/storage-pools/{place.pool}/volumes/custom/{place.name}"


async def all_of(requests: Iterable[Coroutine[Any, Any, None]]) -> None:
    """All at once, each to its end; then the first error, if any, is raised."""
    for result in await asyncio.gather(*requests, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _post(incus: Incus, path: str, body: dict[str, str], project: str) -> None:
    await incus.send("POST", path, body, project=project)


async def _delete(incus: Incus, path: str, project: str) -> None:
    try:
        await incus.send("DELETE", path, project=project)
    except IncusError as error:
        if error.status != _NOT_FOUND:
            raise
