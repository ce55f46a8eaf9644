"""What the agent answers to one question, once `Rights` has found that it may. Called by `server.py`.

A question names what it wants of this estate's own table, chain and routing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from freehold.system.docker_user import DockerUser
from freehold.system.host_agent.charge import Charge
from freehold.system.host_agent.filters import as_document
from freehold.system.nftables import Commands, Nftables, Trial
from freehold.system.routing import Routing, Way

Request = Mapping[str, Any]
Verbs = Mapping[str, Callable[[Request], Awaitable[Any]]]

_SHORTEST_TRIAL, _LONGEST_TRIAL = 0.1, 600.0  # seconds


class NotAllowed(Exception):
    """What is asked for is not this estate's, or not what Freehold writes. The text says why."""


class Rights(Protocol):
    """What may be asked for. Each raises NotAllowed, ValueError or KeyError."""

    @property
    def table(self) -> str:
        """The one table that this is about."""

    def rules(self, commands: Commands) -> Commands:
        """The rules to load in the place of those that were sent."""

    def sketch(self, commands: Commands) -> Commands:
        """The same for rules that are only written out, where nothing passes."""

    def bridges(self, names: list[str]) -> list[str]:
        """The bridges that Docker's chain may let pass."""

    def way(self, way: Way) -> Way:
        """The way of packets between domains. Asks Incus whose machine that is."""


class Answers:
    """One estate's systems on this host. `reading` changes nothing; of `changing` there is one at a time."""

    def __init__(
        self,
        charge: Charge,
        code: str,
        rights: Rights,
        nftables: Nftables,
        docker: DockerUser,
        routing: Routing,
    ) -> None:
        self._charge, self._code, self._rights = charge, code, rights
        self._nftables, self._docker, self._routing = nftables, docker, routing
        self.reading: Verbs = {
            "hello": self._hello,
            "table": self._table,
            "written": self._written,
            "at_boot": self._at_boot,
            "docker": self._docker_rules,
            "way": self._way,
            "faults": self._faults,
        }
        self.changing: Verbs = {
            "load": self._load,
            "set_at_boot": self._set_at_boot,
            "set_docker": self._set_docker,
            "keep_way": self._keep_way,
            "forget_way": self._forget_way,
        }

    @property
    def estate(self) -> str:
        return self._charge.estate

    async def try_out(self, request: Request) -> tuple[Trial, float]:
        """Load rules for the time being: the trial, and the seconds in which the caller is to say whether they stay."""
        name = self._named(request)
        seconds = min(_LONGEST_TRIAL, max(_SHORTEST_TRIAL, float(request["seconds"])))
        commands = self._rights.rules(request["commands"])
        return await self._nftables.try_out(name, commands, seconds), seconds

    def _named(self, request: Request) -> str:
        """The table, which every request about it names. Raises NotAllowed for another one."""
        if request["name"] != self._rights.table:
            raise NotAllowed(f"`{request['name']}` is not the table {self._rights.table}")
        return self._rights.table

    async def _hello(self, request: Request) -> Any:
        return {"estate": self._charge.estate, "base": self._charge.base, "code": self._code}

    async def _table(self, request: Request) -> Any:
        return await self._nftables.table(self._named(request))

    async def _written(self, request: Request) -> Any:
        commands = self._rights.sketch(request["commands"])
        return await self._nftables.written(self._named(request), commands)

    async def _at_boot(self, request: Request) -> Any:
        return await self._nftables.at_boot(self._named(request))

    async def _docker_rules(self, request: Request) -> Any:
        return as_document(await asyncio.to_thread(self._docker.read))

    async def _way(self, request: Request) -> Any:
        found = await self._routing.way(self._named(request))
        return None if found is None else found.as_document()

    async def _faults(self, request: Request) -> Any:
        return await self._routing.faults(self._named(request))

    async def _load(self, request: Request) -> Any:
        await self._nftables.load(self._rights.rules(request["commands"]))

    async def _set_at_boot(self, request: Request) -> Any:
        given = request["commands"]
        commands = None if given is None else self._rights.rules(given)
        await self._nftables.set_at_boot(self._named(request), commands)

    async def _set_docker(self, request: Request) -> Any:
        if request["estate"] != self._charge.estate:
            raise NotAllowed(f"`{request['estate']}` is not the estate {self._charge.estate}")
        bridges = self._rights.bridges(list(request["bridges"]))
        await asyncio.to_thread(self._docker.write, self._charge.estate, bridges)

    async def _keep_way(self, request: Request) -> Any:
        way = await asyncio.to_thread(self._rights.way, Way.of(request["way"]))
        await self._routing.keep(self._named(request), way)

    async def _forget_way(self, request: Request) -> Any:
        await self._routing.forget(self._named(request))
