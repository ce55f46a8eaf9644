"""What Incus is still doing for this estate though nobody waits for it: the last requests of a run that was killed.

Asked through `provider.py` before a plan is carried out, which would otherwise build on what is only half there.
Bridges are the awkward ones: Incus gives one up when its client goes away, and leaves it `Pending` for ever, with or
without its interface.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from freehold.providers.incus.marks import owner
from freehold.system.incus.api import Incus, IncusError

_MAKING_A_BRIDGE = 1.0  # seconds; a bare one takes 0.05, on a busy computer more
PENDING = "Pending"  # a bridge's status while Incus makes it, and for ever when that was broken off


async def under_way(incus: Incus, estate: str, domains: Collection[str]) -> list[str]:
    """In words, what is being made or changed now; people's own sessions (`incus exec`) do not count.

    A bridge that is being made is no operation in Incus: it is given the moment that making one takes.
    """
    operations, networks = await asyncio.gather(
        incus.get("/operations", recursion="1", **{"all-projects": "true"}),
        incus.get("/networks", recursion="1"),
    )
    if any(is_half_made(raw, estate) for raw in networks):
        await asyncio.sleep(_MAKING_A_BRIDGE)
    return [
        str(operation["description"])
        for operation in operations.get("running", ())
        if operation["class"] == "task" and set(_projects(operation)) & set(domains)
    ]


async def without_interface(incus: Incus, networks: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The names of those bridges that Incus has given up: they are listed, and there is no interface."""
    pending = [raw["name"] for raw in networks if raw.get("status") == PENDING]
    exist = await asyncio.gather(*(_has_interface(incus, name) for name in pending))
    return frozenset(name for name, exists in zip(pending, exist, strict=True) if not exists)


async def _has_interface(incus: Incus, name: str) -> bool:
    try:
        await incus.get(f"/networks/{name}/state")
    except IncusError as error:
        if error.status == 404:
            return False
        raise
    return True


def is_half_made(raw: Mapping[str, Any], estate: str) -> bool:
    """Whether a bridge of ours, as Incus lists it, is not finished."""
    return raw.get("status") == PENDING and owner(raw["config"]) == estate


def _projects(operation: Mapping[str, Any]) -> Iterator[str]:
    for urls in (operation["resources"] or {}).values():
        for url in urls:
            yield from parse_qs(urlsplit(url).query).get("project", ["default"])
