"""Decides for each request of a machine whether egress leads there, and to which addresses. Used by `proxy.py`.

A name is looked up once and only addresses that were checked are connected to: a name that means something else a
moment later gains nothing.
"""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from freehold.diagnostics import BackendError
from freehold.operations.lab.egress.targets import WEB_PORTS, IPNetwork, Target, why_closed
from freehold.system.processes import require

LOOKUP_SECONDS = 15.0
NAME_SECONDS = 60.0  # for so long a name is taken to mean what it meant
MOST_NAMES = 256
NETWORKS_SECONDS = 5.0  # for so long this computer's networks are taken to be what they were

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]


class RequestRefusedError(Exception):
    """Egress does not lead there, or cannot; the text is for whoever asked."""

    def __init__(self, text: str, status: int = 403) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Gate:
    """`mirrors` are this computer's own package servers: open wherever they are."""

    mirrors: frozenset[Target]
    lookup: Lookup
    networks: Callable[[], Awaitable[Sequence[IPNetwork]]]

    async def addresses(self, target: Target) -> Sequence[str]:
        """The addresses to connect to, best first. Raises RequestRefusedError."""
        self.check_port(target)
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = await self.lookup(target.host, target.port)
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            raise RequestRefusedError(f"{target.host} cannot be looked up", 502) from error
        if target in self.mirrors:
            return found
        return await self._open(target, found)

    def check_port(self, target: Target) -> None:
        """Raises RequestRefusedError for a port on which no packages are to be expected."""
        if target.port not in WEB_PORTS and target not in self.mirrors:
            raise RequestRefusedError(f"egress leads to ports 80 and 443, not to {target.port}")

    async def _open(self, target: Target, found: Sequence[str]) -> Sequence[str]:
        own = await self.networks()
        reasons = {address: why_closed(ip_address(address), own) for address in found}
        if passable := [address for address, reason in reasons.items() if reason is None]:
            return passable
        reason = next(iter(reasons.values()), None) or "nowhere"
        raise RequestRefusedError(f"{target.host} is {reason}: egress does not lead there")


async def look_up(host: str, port: int) -> Sequence[str]:
    """The host's addresses, as this computer resolves it. Raises OSError, UnicodeError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(slots=True)
class Remembered:
    """A lookup whose answers count for a while: apt fetches a hundred files from one host, and a lookup may take seconds.

    Each answer is checked at every use all the same.
    """

    lookup: Lookup
    _known: dict[str, tuple[float, Sequence[str]]] = field(default_factory=dict)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Raises what the lookup raises; only answers are remembered."""
        until, known = self._known.get(host, (0.0, ()))
        if time.monotonic() < until:
            return known
        found = await self.lookup(host, port)
        if len(self._known) >= MOST_NAMES:
            self._known.clear()
        self._known[host] = (time.monotonic() + NAME_SECONDS, found)
        return found


@dataclass(slots=True)
class OwnNetworks:
    """The networks that this computer's interfaces are in, its own addresses among them, as they are now."""

    _known: Sequence[IPNetwork] = ()
    _until: float = 0.0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self) -> Sequence[IPNetwork]:
        """Raises RequestRefusedError when they cannot be told: then nothing is open."""
        async with self._asking:  # of many requests at once only one asks
            if time.monotonic() >= self._until:
                self._known = await _own_networks()
                self._until = time.monotonic() + NETWORKS_SECONDS
            return self._known


async def _own_networks() -> Sequence[IPNetwork]:
    try:
        return networks_of(await asyncio.to_thread(require, ["ip", "-json", "address", "show"]))
    except (BackendError, OSError, ValueError, KeyError) as error:
        raise RequestRefusedError("this computer's networks cannot be told", 503) from error


def networks_of(listed: str) -> Sequence[IPNetwork]:
    """The networks in the output of `ip -json address`; of a point-to-point interface both ends."""
    found: list[IPNetwork] = []
    for interface in json.loads(listed):
        for entry in interface.get("addr_info", []):
            ends = [entry[end] for end in ("local", "address") if end in entry]
            found += [ip_network(f"{end}/{entry['prefixlen']}", strict=False) for end in ends]
    return [network for network in found if network.prefixlen > 0]
