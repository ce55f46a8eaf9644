"""Copies of a service's data from before its updates, and the way back to them. Used by `data`.

The service stands still while its volumes are copied, so the copy is consistent whatever wrote it. Each is named by the version whose data
it has, and by its moment; it is kept on the target, for root alone, until a later update has served.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.model.services import Service
from freehold.planning.address import Address
from freehold.providers.compose import copy_scripts, places, problems
from freehold.providers.compose.docker import Docker
from freehold.system.targets import Ended
from freehold.wiring.addresses import met

_HOURS = 4 * 3600.0  # seconds that copying may take
_MEASURING = 600.0


class Phase(StrEnum):
    """How far an update with a copy has come."""

    COPYING = "copying"
    """The copy may be whole or not; nothing else was started on the data."""
    TAKEN = "taken"
    """The copy is whole; the new version may have been started, and no run has seen it serve."""
    GOING_BACK = "going back"
    """The data is being replaced by the copy: of the volumes some may be back, and some not."""
    BACK = "back"
    """The data is that of the copy, whatever container stands there; the old version has not served yet."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What the target's Compose file says of an update under way: where the copy is, of which image's data, and what was kept `aside` for it."""

    copy: str
    image: str
    phase: Phase = Phase.TAKEN
    aside: str = ""

    @classmethod
    def read(cls, entry: Mapping[str, Any] | None) -> "Noted | None":
        """None also for what somebody else has written there."""
        try:
            found = dict(entry or {})
            return cls(found["copy"], found["image"], Phase(found["phase"]), found["aside"])
        except (KeyError, ValueError):
            return None

    def entry(self) -> Mapping[str, Any]:
        """As it stands there."""
        return {"copy": self.copy, "image": self.image, "phase": str(self.phase), "aside": self.aside}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Copies:
    """Those of one service. `volumes` are Docker's names of what it has now."""

    docker: Docker
    address: Address
    volumes: Sequence[str]

    @property
    def folder(self) -> str:
        """On the target."""
        return places.copies_folder(self.docker.estate, places.name_of(self.address))

    async def room(self, stale: str) -> str | None:
        """How much there is to copy, in words; None where there is nothing yet. The copy `stale` goes. Raises BackendError where it does not fit."""
        ended = await self._run(copy_scripts.ROOM, _MEASURING, stale)
        if ended.code == copy_scripts.NOTHING:
            return None
        if ended.code:
            said = ended.output if ended.code == copy_scripts.FULL else ended.errors
            raise BackendError(problems.not_copied(self.address, self.folder, said))
        return ended.output.strip()

    async def take(self, noted: Noted) -> None:
        """Copy the data of the service, which stands still. Raises BackendError."""
        ended = await self._run(copy_scripts.COPY, _HOURS, noted.copy)
        if ended.code:
            raise BackendError(problems.not_copied(self.address, self.folder, ended.errors))

    async def bring_back(self, noted: Noted) -> None:
        """Give the service, which stands still, its data as it was. Raises BackendError."""
        ended = await self._run(copy_scripts.RESTORE, _HOURS, noted.copy, noted.aside)
        if ended.code:
            path = f"{self.folder}/{noted.copy}"
            raise BackendError(problems.not_brought_back(self.address, path, ended.errors))

    async def thin(self, noted: Noted, image: str) -> None:
        """The update from the noted copy to this image has served: older ones go, but for those of that very image, which one has come back to."""
        if noted.phase is Phase.TAKEN:
            words = ["sh", "-c", copy_scripts.THIN, "copies", self.folder, noted.copy, _version(image)]  # fmt: skip
            await self.docker.target.run(words, timeout=_MEASURING)
        else:
            await self.emptied(noted)

    async def emptied(self, noted: Noted) -> None:
        """What was in it is in its place again."""
        await self.docker.delete(f"{self.folder}/{noted.copy}")

    async def _run(self, script: str, seconds: float, *words: str) -> Ended:
        every = ["sh", "-c", script, "copies", self.folder, *words, *self.volumes]
        return await self.docker.target.run(every, timeout=seconds)


def name_of(image: str) -> str:
    """What a copy of this image's data is called, now: `postgres-17.7@20261122T093000Z`."""
    return f"{_version(image)}@{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def not_copied(infra: Infra, service: Service) -> Iterator[str]:
    """Where a service may keep data that no copy has: folders of its target, and what it needs that keeps some."""
    container = service.descriptor.container
    for mount in container.mounts if container else ():
        if not mount.read_only:
            yield f"the folder that it sees as {mount.path}"
    for _, needed in met(infra, service):
        if needed.descriptor.data:
            yield f"the service {needed.name}"


def _version(image: str) -> str:
    """`postgres-17.7` of `docker.io/postgres:17.7@sha256:...`."""
    last = image.rpartition("/")[2]
    named = last.partition("@")[0] if ":" in last.partition("@")[0] else last
    return re.sub(r"[^A-Za-z0-9._-]+", "-", named) or "unknown"
