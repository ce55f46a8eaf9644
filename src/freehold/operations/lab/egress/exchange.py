"""What is said over one connection of a machine: requests to pass on, or one that becomes a tunnel. Used by `proxy.py`.

Each plain request gets a connection of its own to its target; the machine's one stays. Rules: RFC 9110, 7.6 and 9.3.6.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import h11

from freehold.operations.lab.egress.gate import RequestRefusedError
from freehold.operations.lab.egress.side import BLOCK, IDLE_SECONDS, EndedError, Side, close
from freehold.operations.lab.egress.targets import Target
from freehold.operations.lab.egress.upstream import Headers, Upstream
from freehold.operations.lab.egress.way import Ways

# What concerns one connection only (RFC 9110, 7.6.1); h11 itself minds the framing.
_FOR_ONE_CONNECTION = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization",
        b"te", b"trailer", b"upgrade", b"expect",
    }
)  # fmt: skip
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_VIA = (b"Via", b"1.1 freehold-lab")

Say = Callable[[str], None]


class Exchange:
    """One connection of a machine, from its first request to its end."""

    def __init__(self, ways: Ways, say: Say, reader: StreamReader, writer: StreamWriter) -> None:
        self._ways = ways
        self._say = say
        self._machine = Side(h11.SERVER, reader, writer)

    async def run(self) -> None:
        """Answer until the machine has no more requests. Raises OSError (TimeoutError), h11.ProtocolError."""
        try:
            while await self._answered():
                self._machine.http.start_next_cycle()
        except EndedError:
            pass
        except h11.RemoteProtocolError as error:
            await self._refuse(RequestRefusedError("that is no HTTP", error.error_status_hint))
        finally:
            await self._machine.close()

    async def _answered(self) -> bool:
        """Whether another request may come after this one."""
        request = await self._machine.event()
        assert isinstance(request, h11.Request), "h11 begins with a request"
        try:
            if request.method == b"CONNECT":
                await self._tunnel(request)
                return False
            await self._pass_on(request)
        except RequestRefusedError as refused:
            await self._refuse(refused, request)
            return False
        return self._machine.http.our_state is self._machine.http.their_state is h11.DONE

    async def _refuse(
        self, refused: RequestRefusedError, request: h11.Request | None = None
    ) -> None:
        """Say why, in the status line too: of an answer to CONNECT most programs show only that."""
        self._say(f"{refused.status} {refused}")
        if self._machine.http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return  # the answer had begun: breaking off is all that can be said
        text = f"Freehold's lab: {refused}".encode("ascii", "replace")
        headers = [(b"Content-Type", b"text/plain"), (b"Connection", b"close")]
        response = h11.Response(status_code=refused.status, headers=headers, reason=text)
        body = [] if request and request.method == b"HEAD" else [h11.Data(data=text + b"\n")]
        await self._machine.send(response, *body, h11.EndOfMessage())

    async def _tunnel(self, request: h11.Request) -> None:
        target = _tunnel_target(request)
        reader, writer, first = await self._ways.tunnel(target)
        try:
            await self._machine.event()  # the request's end
            established = h11.Response(status_code=200, headers=[], reason=b"Connected")
            await self._machine.send(established)
            writer.write(self._machine.rest())
            self._machine.writer.write(first)
            await _both_ways((self._machine.reader, writer), (reader, self._machine.writer))
        finally:
            await close(writer)

    async def _pass_on(self, request: h11.Request) -> None:
        target = _http_target(request)
        upstream = self._ways.upstream("http", target)
        if upstream is None:
            reader, writer = await self._ways.straight(target)
        else:
            reader, writer = await self._ways.to(upstream, target)
        there = Side(h11.CLIENT, reader, writer)
        try:
            await there.send(_rewritten(request, upstream))
            await _relay(self._machine, there)
            await self._answer_from(there)
        except (EndedError, h11.RemoteProtocolError) as error:
            raise RequestRefusedError(f"{target} broke off", 502) from error
        finally:
            await there.close()

    async def _answer_from(self, there: Side) -> None:
        while isinstance(answer := await there.event(), h11.InformationalResponse):
            pass
        assert isinstance(answer, h11.Response), "h11 begins an answer with its status"
        headers = [*_passed_on(answer), _VIA]
        response = h11.Response(
            status_code=answer.status_code, headers=headers, reason=answer.reason
        )
        await self._machine.send(response)
        await _relay(there, self._machine)


async def _relay(source: Side, sink: Side) -> None:
    """Pass on a message's body up to its end."""
    while isinstance(event := await source.event(), h11.Data):
        await sink.send(h11.Data(data=event.data))
    await sink.send(h11.EndOfMessage())


async def _both_ways(*ways: tuple[StreamReader, StreamWriter]) -> None:
    """Carry bytes until both ends have no more. Raises TimeoutError when nothing moves for long, OSError."""
    loop = asyncio.get_running_loop()

    async def carry(reader: StreamReader, writer: StreamWriter) -> None:
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
            limit.reschedule(loop.time() + IDLE_SECONDS)
        writer.write_eof()

    async with asyncio.timeout(IDLE_SECONDS) as limit:
        try:
            async with asyncio.TaskGroup() as both:
                for way in ways:
                    both.create_task(carry(*way))
        except* OSError:
            pass  # one end has broken off, and with it the tunnel


def _tunnel_target(request: h11.Request) -> Target:
    try:
        return Target.of_authority(request.target.decode("ascii"))
    except ValueError as error:
        raise RequestRefusedError("CONNECT wants host:port", 400) from error


def _http_target(request: h11.Request) -> Target:
    text = request.target.decode("ascii")
    try:
        if urlsplit(text).scheme == "http":
            return Target.of_address(text)
    except ValueError:
        pass
    raise RequestRefusedError("this is a proxy: it wants http://host/path, or CONNECT", 400)


def _rewritten(request: h11.Request, upstream: Upstream | None) -> h11.Request:
    """The request as the next server gets it: absolute for a proxy, else as to the server itself (RFC 9112, 3.2)."""
    parts = urlsplit(request.target.decode("ascii"))
    host = parts.netloc.rpartition("@")[2]
    inner = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    headers = [(name, value) for name, value in _passed_on(request) if name != b"host"]
    headers += [(b"Host", host.encode()), _VIA, (b"Connection", b"close")]
    return h11.Request(
        method=request.method,
        target=(f"http://{host}{inner}" if upstream else inner).encode(),
        headers=[*headers, *(upstream.headers if upstream else [])],
    )


def _passed_on(message: h11.Request | h11.Response) -> Headers:
    """The headers that are meant for more than one connection."""
    named = {
        word.strip().lower()
        for name, value in message.headers
        if name == b"connection"
        for word in value.split(b",")
    }
    dropped = _FOR_ONE_CONNECTION | (named - _FRAMING)
    return [(name, value) for name, value in message.headers if name not in dropped]
