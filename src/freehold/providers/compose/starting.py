"""Starts services of one target, those together that are ready at once, and notes when they serve. Owned by `docker`, asked by `update`.

Compose takes a second for one service and hardly more for eight.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freehold.planning.resource import Fields
from freehold.providers.compose.entry import Entry
from freehold.providers.compose.guarding import refused
from freehold.providers.compose.together import Together
from freehold.system.targets import Ended

if TYPE_CHECKING:
    from freehold.providers.compose.docker import Docker

_PAUSE = 0.1  # seconds that a start waits for others


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A service to be started. `anew`: also where Compose sees no difference; `served`: what runs until now, where it is healthy.

    `copy`: what is noted with its entry of a copy of its data.
    """

    name: str
    entry: Entry
    anew: bool
    served: Fields | None
    stop_seconds: float
    copy: Entry | None = None


class Starts:
    """Those of one target, each in the target's Compose file before."""

    def __init__(self, docker: "Docker") -> None:
        self._docker = docker
        self._together = Together(self._start, _PAUSE)
        self._settled = Together(self._settle)

    async def start(self, start: Start) -> Ended:
        """Start a service by its entry, keeping what ran until now to go back to. It is healthy later."""
        return await self._together.ask(start)

    async def settle(self, name: str) -> None:
        """What ran before is gone back to no more: its entry goes, and the files of other versions."""
        await self._settled.ask(name)

    async def _start(self, starts: Sequence[Start]) -> Sequence[Ended]:
        async with self._docker.project() as project:
            entries = {each.name: each.entry for each in starts}
            found = await refused(self._docker.target, self._docker.estate, entries)
            starts = [each for each in starts if each.name not in found]
            others = {
                each.name
                for each in starts
                if project.renew(each.name, each.entry, served=each.served)
            }
            for each in starts:
                project.copies.pop(each.name, None)
            project.copies |= {each.name: each.copy for each in starts if each.copy}
            await self._docker.save(project)
            for anew in (True, False):
                if those := [each for each in starts if each.anew is anew]:
                    found |= await self._up(those, others, anew=anew)
        return [found[name] for name in entries]

    async def _up(
        self, starts: Sequence[Start], others: Set[str], *, anew: bool
    ) -> dict[str, Ended]:
        """Of several nobody says which one fails: each by itself then. What has just been made of another entry is not made again.

        Whose entry is as it was (its files were changed by hand, say) is made anew once more: Compose sees no difference there.
        """
        names = [each.name for each in starts]
        seconds = max(each.stop_seconds for each in starts)
        ended = await self._docker.up(*names, anew=anew, stop_seconds=seconds)
        if not ended.code or len(starts) == 1:
            return dict.fromkeys(names, ended)
        return {
            each.name: await self._docker.up(
                each.name, anew=anew and each.name not in others, stop_seconds=each.stop_seconds
            )
            for each in starts
        }

    async def _settle(self, names: Sequence[str]) -> Sequence[None]:
        async with self._docker.project() as project:
            for name in names:
                project.previous.pop(name, None)
                project.copies.pop(name, None)
        await self._docker.thin(project, names)
        return [None] * len(names)
