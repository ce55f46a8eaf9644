"""One end of an exchange: an HTTP/1.1 connection over a stream, with h11 for the protocol. Used by `exchange.py` and `way.py`."""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

import h11

BLOCK = 1 << 16
HEAD_LIMIT = 1 << 15  # bytes of a request's or answer's first lines
IDLE_SECONDS = 300.0  # in which nothing moves, after which a connection is given up

Event = h11.Request | h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage


class EndedError(Exception):
    """The other end has closed the connection, or waits for something else than HTTP."""


class Side:
    """An HTTP/1.1 connection, as server or as client of whoever is at the other end of the stream."""

    def __init__(
        self, role: type[h11.CLIENT] | type[h11.SERVER], reader: StreamReader, writer: StreamWriter
    ) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=HEAD_LIMIT)
        self.reader = reader
        self.writer = writer

    async def event(self) -> Event:
        """What comes next. Raises EndedError, TimeoutError, OSError, h11.RemoteProtocolError."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            if self.http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            async with asyncio.timeout(IDLE_SECONDS):
                self.http.receive_data(await self.reader.read(BLOCK))
        if not isinstance(event, Event):  # h11.PAUSED or ConnectionClosed
            raise EndedError
        return event

    async def send(self, *events: Event) -> None:
        """Write them. Raises TimeoutError, OSError, h11.LocalProtocolError."""
        for event in events:
            if data := self.http.send(event):
                self.writer.write(data)
        async with asyncio.timeout(IDLE_SECONDS):
            await self.writer.drain()

    def rest(self) -> bytes:
        """What came after the last HTTP message: the beginning of a tunnel."""
        return self.http.trailing_data[0]

    async def close(self) -> None:
        """Close the stream; what was written is still sent."""
        await close(self.writer)


async def close(writer: StreamWriter) -> None:
    """Close a stream, whatever state it is in."""
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(5.0):
            await writer.wait_closed()
