"""The agent: answers control machines for one estate, by the same code with which Freehold works on the host itself.

Started as a program of its own by `operations.host_agent`, which also says what may be done (`Rights`): a request names
what it wants of this estate's own table, chain and routing, and everything else is refused.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.docker_user import DockerUser
from freehold.system.host_agent.charge import Charge
from freehold.system.host_agent.filters import as_document
from freehold.system.host_agent.messages import line, parsed, problem
from freehold.system.nftables import Commands, Nftables
from freehold.system.routing import Routing, Way

_LATE = 5.0  # seconds after which a trial that nobody ends is ended here; its guard has undone it long before
_FIRST_LINE = 30.0  # seconds for a caller to say what it wants

Request = Mapping[str, Any]


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


class Agent:
    """One estate's systems on this host, behind a socket."""

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
        self._one_change = asyncio.Lock()
        self._reading: Mapping[str, Callable[[Request], Awaitable[Any]]] = {
            "hello": self._hello,
            "table": self._table,
            "written": self._written,
            "at_boot": self._at_boot,
            "docker": self._docker_rules,
            "way": self._way,
            "faults": self._faults,
        }
        self._changing: Mapping[str, Callable[[Request], Awaitable[Any]]] = {
            "load": self._load,
            "set_at_boot": self._set_at_boot,
            "set_docker": self._set_docker,
            "keep_way": self._keep_way,
            "forget_way": self._forget_way,
        }

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One caller, from its question to its end. Nothing that it says ends the agent."""
        try:
            request = parsed(await asyncio.wait_for(reader.readline(), _FIRST_LINE))
            if request.get("do") == "try_out":
                await self._try_out(request, reader, writer)
            else:
                await _say(writer, await self._answer(request))
        except (OSError, ValueError):  # it went away, or is none of ours
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, request: Request) -> dict[str, Any]:
        verb = str(request.get("do"))
        try:
            if verb in self._reading:
                return {"answer": await self._reading[verb](request)}
            if verb not in self._changing:
                raise NotAllowed(f"`{verb}` is nothing that this agent does")
            async with self._one_change:
                answer = await self._changing[verb](request)
            note(f"{verb}: done")
            return {"answer": answer}
        except BackendError as error:
            return problem(error)
        except (NotAllowed, ValueError, KeyError, TypeError, AttributeError) as error:
            return self._refusal(verb, error)

    async def _try_out(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Load rules for the time being; the next line says whether they stay, and the end of the lines that they do not."""
        try:
            seconds = min(600.0, max(1.0, float(request["seconds"])))
            commands = self._rights.rules(request["commands"])
            self._named(request)
        except (NotAllowed, ValueError, KeyError, TypeError, AttributeError) as error:
            await _say(writer, self._refusal("try_out", error))
            return
        async with self._one_change:
            try:
                trial = await self._nftables.try_out(self._rights.table, commands, seconds)
            except BackendError as error:
                await _say(writer, problem(error))
                return
            word = b""
            try:
                await _say(writer, {"answer": "trying"})
                word = await asyncio.wait_for(reader.readline(), seconds + _LATE)
            except (OSError, ValueError):
                pass
            finally:
                answer = await self._ended(trial, _word(word))
            with suppress(OSError):
                await _say(writer, answer)

    async def _ended(self, trial: Any, word: str) -> dict[str, Any]:
        try:
            await (trial.keep() if word == "keep" else trial.undo())
        except BackendError as error:
            note(f"try_out: {error}")
            return problem(error)
        note(f"try_out: {'kept' if word == 'keep' else 'undone'}")
        return {"answer": word or "undo"}

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

    def _refusal(self, verb: str, error: Exception) -> dict[str, Any]:
        note(f"{verb}: refused: {error}")
        return problem(BackendError(_refused(self._charge.estate, str(error))))


def note(text: str) -> None:
    """Standard error is the journal's."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


async def _say(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    writer.write(line(message))
    await writer.drain()


def _word(received: bytes) -> str:
    try:
        return str(parsed(received).get("do"))
    except ValueError:
        return ""


def _refused(estate: str, reason: str) -> Diagnostic:
    return Diagnostic(
        code="host-refused",
        summary="The computer does not do that for a control machine",
        detail=f"Its agent writes only what Freehold itself writes for the estate {estate}: {reason}.",
        hint="When the computer and this machine have different versions of Freehold, bring the computer's up to date there:\n"
        "    freehold apply",
    )
