"""The way out to a target: straight, or through the proxy that this computer itself must use. Used by `exchange.py`."""

import asyncio
import urllib.request
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import h11

from freehold.operations.lab.egress.gate import Gate, RequestRefusedError
from freehold.operations.lab.egress.side import BLOCK, EndedError, Side, close
from freehold.operations.lab.egress.targets import Target
from freehold.operations.lab.egress.upstream import Upstream

CONNECT_SECONDS = 10.0  # for each address


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways out: the gate, this computer's proxies by scheme, and the hosts it reaches without them."""

    gate: Gate
    upstreams: Mapping[str, Upstream]
    direct: str

    def upstream(self, scheme: str, target: Target) -> Upstream | None:
        """The proxy for a target, None for the straight way."""
        found = self.upstreams.get(scheme)
        if found is None or urllib.request.proxy_bypass(str(target), {"no": self.direct}):
            return None
        return found

    async def tunnel(self, target: Target) -> tuple[StreamReader, StreamWriter, bytes]:
        """A connection to the target, and what it has said already. Raises RequestRefusedError."""
        if (upstream := self.upstream("https", target)) is not None:
            return await self._tunnel_through(upstream, target)
        return *await self.straight(target), b""

    async def straight(self, target: Target) -> tuple[StreamReader, StreamWriter]:
        """A connection to the target itself. Raises RequestRefusedError."""
        return await _connect(target, await self.gate.addresses(target))

    async def to(self, upstream: Upstream, target: Target) -> tuple[StreamReader, StreamWriter]:
        """A connection to the proxy, once the target has passed the gate. Raises RequestRefusedError."""
        self.gate.check(target)
        return await _connect(upstream.target, [upstream.target.host], tls=upstream.tls)

    async def _tunnel_through(
        self, upstream: Upstream, target: Target
    ) -> tuple[StreamReader, StreamWriter, bytes]:
        reader, writer = await self.to(upstream, target)
        try:
            side = Side(h11.CLIENT, reader, writer)
            headers = [(b"Host", str(target).encode()), *upstream.headers]
            asked = h11.Request(method=b"CONNECT", target=str(target).encode(), headers=headers)
            await side.send(asked, h11.EndOfMessage())
            while isinstance(answer := await side.event(), h11.InformationalResponse):
                pass
            if isinstance(answer, h11.Response) and answer.status_code // 100 == 2:
                return reader, writer, side.rest()
            status = getattr(answer, "status_code", 0)
            raise RequestRefusedError(f"the proxy of this computer answers {status}", 502)
        except (OSError, EndedError, h11.ProtocolError) as error:
            await close(writer)
            raise RequestRefusedError("the proxy of this computer does not answer", 502) from error
        except RequestRefusedError:
            await close(writer)
            raise


async def _connect(
    target: Target, addresses: Sequence[str], *, tls: bool = False
) -> tuple[StreamReader, StreamWriter]:
    """The first address that answers. Raises RequestRefusedError."""
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(
                    address, target.port, limit=BLOCK,
                    ssl=True if tls else None, server_hostname=target.host if tls else None,
                )  # fmt: skip
        except OSError:  # TimeoutError is one
            continue
    raise RequestRefusedError(f"{target} does not answer", 504)
