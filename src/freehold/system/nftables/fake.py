"""nftables in memory, for fast tests: keeps tables as they were given, passes no packet. Used by tests alone."""

import copy
from collections.abc import Mapping
from typing import Any

from freehold.system.nftables.api import Commands, Listing, NftablesError


class FakeNftables:
    """Tables of the family inet. Set `broken` to have every write refused with these words; `loads` counts writes."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.boot: dict[str, Commands] = {}
        self.broken = ""
        self.loads = 0

    async def table(self, name: str) -> Listing | None:
        return copy.deepcopy(self.tables.get(name))

    async def written(self, name: str, commands: Commands) -> Listing:
        other = FakeNftables()
        await other.load(commands)
        return other.tables[name]

    async def load(self, commands: Commands) -> None:
        if self.broken:
            raise NftablesError("loading the rules", self.broken)
        before = copy.deepcopy(self.tables)
        try:
            for command in commands:
                for verb, thing in command.items():
                    getattr(self, f"_{verb}")(thing)
        except LookupError as error:
            self.tables = before
            raise NftablesError("loading the rules", f"there is no {error}.") from error
        self.loads += 1

    async def try_out(self, name: str, commands: Commands, seconds: float) -> "FakeTrial":
        trial = FakeTrial(self, name, copy.deepcopy(self.tables.get(name)))
        await self.load(commands)
        return trial

    async def at_boot(self, name: str) -> Commands | None:
        return self.boot.get(name)

    async def set_at_boot(self, name: str, commands: Commands | None) -> None:
        if commands is None:
            self.boot.pop(name, None)
        else:
            self.boot[name] = commands

    def _add(self, thing: Mapping[str, Any]) -> None:
        [(noun, body)] = thing.items()
        if noun == "table":
            self.tables.setdefault(body["name"], [dict(thing)])
        elif noun == "element":
            self._set(body["table"], body["name"]).setdefault("elem", []).extend(body["elem"])
        else:
            self.tables[body["table"]].append(copy.deepcopy(dict(thing)))

    def _delete(self, thing: Mapping[str, Any]) -> None:
        self.tables.pop(thing["table"]["name"], None)

    def _set(self, table: str, name: str) -> dict[str, Any]:
        for entry in self.tables[table]:
            if "set" in entry and entry["set"]["name"] == name:
                found: dict[str, Any] = entry["set"]
                return found
        raise LookupError(name)


class FakeTrial:
    """What was there before, to be put back."""

    def __init__(
        self, tables: FakeNftables, name: str, before: list[dict[str, Any]] | None
    ) -> None:
        self._tables, self._name, self._before = tables, name, before

    async def keep(self) -> None:
        return

    async def undo(self) -> None:
        if self._before is None:
            self._tables.tables.pop(self._name, None)
        else:
            self._tables.tables[self._name] = self._before
