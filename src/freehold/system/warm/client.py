"""One connection plugin that is connected to the keeper: its requests, one after the other, and their answers.

Made by `keeper.py` for each connection. Frames are passed on as they are; only their numbers change.
"""

import asyncio
import contextlib

from freehold.system.warm.failures import NoPython, NothingDone, WayFailed, unknown_outcome
from freehold.system.warm.session import Session
from freehold.system.warm.sessions import Sessions
from freehold.system.warm.target import frames
from freehold.system.warm.target.frames import Frame

_BATCH = 1 << 20  # bytes passed on in one piece
KINDS: dict[type[WayFailed], str] = {NothingDone: "nothing-done", NoPython: "no-python"}
UNKNOWN = "unknown"


class Client:
    """`serve` ends when the plugin goes. A request that runs by then is ended in the machine."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sessions: Sessions
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._sessions = sessions
        self._machine = {"project": "", "name": ""}
        self._done: asyncio.Future[bool]

    async def serve(self) -> None:
        """Greet, then answer requests. The greeting tells the plugin that what it sends now is read."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(frames.encode(0, frames.HELLO))
            coming = asyncio.create_task(self._read())
            try:
                while True:
                    frame = await coming
                    if frame.kind == frames.MACHINE:
                        self._machine = frame.document()
                        coming = asyncio.create_task(self._read())
                    else:
                        coming = await self._request(frame)
            finally:
                coming.cancel()

    async def _request(self, first: Frame) -> "asyncio.Task[Frame]":
        """Carry out one request; the frame that comes after it is already awaited, for its end means that too."""
        python = first.document()["python"] if first.kind == frames.RUN else None
        try:
            session = await self._sessions.get(**self._machine, python=python)
        except WayFailed as error:
            while (await self._read()).kind != frames.END:
                pass
            await self._fail(KINDS.get(type(error), ""), str(error))
            return asyncio.create_task(self._read())
        self._done = asyncio.get_running_loop().create_future()
        number = session.open(self._take)
        try:
            return await self._carry(session, number, first)
        finally:
            await session.forget(number)

    async def _carry(self, session: Session, number: int, frame: Frame) -> "asyncio.Task[Frame]":
        batch = bytearray()
        while frame.kind != frames.END:
            batch += frames.encode(number, frame.kind, frame.content)
            if len(batch) >= _BATCH:
                await session.send(bytes(batch))
                batch.clear()
            frame = await self._read()
        if session.ended.done():
            await self._fail(KINDS[NothingDone], "The machine has just gone")
            return asyncio.create_task(self._read())
        await session.send(bytes(batch + frames.encode(number, frames.END)))
        return await self._watch(session, number)

    async def _watch(self, session: Session, number: int) -> "asyncio.Task[Frame]":
        coming = asyncio.create_task(self._read())
        await asyncio.wait((coming, self._done, session.ended), return_when=asyncio.FIRST_COMPLETED)
        if self._done.done():
            session.stale |= self._done.result()
        elif session.ended.done():
            text = unknown_outcome(
                "{project}/{name}".format(**self._machine), "the machine went away, or is frozen"
            )
            await self._fail(UNKNOWN, str(text))
        else:
            await session.send(frames.encode(number, frames.KILL))
        return coming

    async def _take(self, frame: Frame) -> None:
        """What the program says to the request. A plugin that has gone is noticed by `_watch`, not here."""
        with contextlib.suppress(ConnectionError):
            await self._answer(frames.encode(0, frame.kind, frame.content))
        if frame.kind == frames.DONE and not self._done.done():
            self._done.set_result(bool(frame.document()["stale"]))

    async def _fail(self, kind: str, text: str) -> None:
        await self._answer(frames.encode_document(0, frames.FAILED, {"kind": kind, "text": text}))

    async def _answer(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def _read(self) -> Frame:
        header = await self._reader.readexactly(frames.HEADER.size)
        number, kind, length = frames.HEADER.unpack(header)
        return Frame(number, kind, await self._reader.readexactly(length))
