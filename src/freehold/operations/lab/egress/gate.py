"""Decides for each request of a machine whether egress leads there, and finds the addresses. Used by `way.py`.

It leads to the package servers that this computer itself uses and nowhere else: a machine of the lab gets packages, and
reaches neither this computer's networks nor the rest of the world.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from freehold.operations.lab.egress.targets import Target

LOOKUP_SECONDS = 15.0
NAME_SECONDS = 60.0  # for so long a name is taken to mean what it meant

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


class RequestRefusedError(Exception):
    """Egress does not lead there, or cannot; the text is for whoever asked."""

    def __init__(self, text: str, status: int = 403) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Gate:
    """`servers` are this computer's own package servers: open wherever they are, on their ports."""

    servers: frozenset[Target]
    lookup: Lookup

    def check(self, target: Target) -> None:
        """Raises RequestRefusedError for all that is no package server."""
        if target not in self.servers:
            raise RequestRefusedError(
                f"egress leads to this computer's package servers, and {target} is none of them"
            )

    async def addresses(self, target: Target) -> Sequence[str]:
        """The addresses to connect to, best first. Raises RequestRefusedError."""
        self.check(target)
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                return await self.lookup(target.host, target.port)
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            raise RequestRefusedError(f"{target.host} cannot be looked up", 502) from error


async def look_up(host: str, port: int) -> Sequence[str]:
    """The host's addresses, as this computer resolves it. Raises OSError, UnicodeError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(slots=True)
class Remembered:
    """A lookup whose answers count for a while: apt fetches a hundred files from one host, and a lookup may take seconds."""

    lookup: Lookup
    _known: dict[str, tuple[float, Sequence[str]]] = field(default_factory=dict)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Raises what the lookup raises; only answers are remembered."""
        until, known = self._known.get(host, (0.0, ()))
        if time.monotonic() < until:
            return known
        found = await self.lookup(host, port)
        self._known[host] = (time.monotonic() + NAME_SECONDS, found)
        return found
