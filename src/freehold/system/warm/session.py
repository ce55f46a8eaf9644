"""One machine's program as the keeper sees it: started by one exec of Incus, spoken to over its websockets.

Opened by `keeper.py`. The session ends with the program, the machine, the daemon, or by `close`; all who wait are told.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from freehold.diagnostics import BackendError
from freehold.system.incus.api import IncusError
from freehold.system.incus.connection import BASE, TRANSPORT_ERRORS, Connection
from freehold.system.incus.http import aiohttp
from freehold.system.warm.failures import LOST, PASSING, NoPython, NothingDone, WayFailed
from freehold.system.warm.shipping import BOOT, program
from freehold.system.warm.target import frames

HELLO_PATIENCE = 20.0  # seconds for Python to start in the machine
_SILENCE = 5.0  # seconds without a word after which a machine is looked at
_INPUT, _OUTPUT = "0", "1"

Sink = Callable[[frames.Frame], Awaitable[None]]


class Session:
    """The program in one machine. `ended` is done once it is gone; `pythons` are the names of its interpreter."""

    def __init__(self, python: str, sockets: dict[str, aiohttp.ClientWebSocketResponse]) -> None:
        self.pythons = {python}
        self._sockets = sockets
        self._decoder = frames.Decoder()
        self._sinks: dict[int, Sink] = {}
        self._last = 0
        self._tasks = [
            asyncio.create_task(_empty(socket))
            for name, socket in sockets.items()
            if name != _OUTPUT
        ]
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stale = False
        self._heard = time.monotonic()

    @property
    def is_silent(self) -> bool:
        """Whether somebody waits, and nothing has come for a while; True once in such a while."""
        now = time.monotonic()
        if not self._sinks or now - self._heard < _SILENCE:
            return False
        self._heard = now
        return True

    @property
    def usable(self) -> bool:
        """Whether new requests may be given to it."""
        return not self.stale and not self.ended.done()

    async def greet(self) -> None:
        """Send the program and wait for its first word. Raises NoPython when it does not come."""
        try:
            await self._sockets[_INPUT].send_bytes(program())
            async with asyncio.timeout(HELLO_PATIENCE):
                hello = await self._hello()
        except (TimeoutError, *TRANSPORT_ERRORS) as error:
            raise NoPython("Python does not answer") from error
        self.pythons.add(str(hello.document()["executable"]))
        self._tasks.append(asyncio.create_task(self._read()))

    def open(self, sink: Sink) -> int:
        """A number for a new request; what the program says to it goes to `sink`."""
        self._last += 1
        self._sinks[self._last] = sink
        self._heard = time.monotonic()
        return self._last

    async def forget(self, number: int) -> None:
        """Nobody waits for this request any more. A program that has become stale ends with its last one."""
        self._sinks.pop(number, None)
        if self.stale:
            await self.retire()

    async def retire(self) -> None:
        """Take no new requests, and end with the last one."""
        self.stale = True
        if not self._sinks:
            await self.close()

    async def send(self, content: bytes) -> None:
        """Whole frames, in one piece. A session that has ended takes them and does nothing."""
        with contextlib.suppress(*TRANSPORT_ERRORS):
            await self._sockets[_INPUT].send_bytes(content)

    async def close(self) -> None:
        """End the program: its input ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in self._sockets.values():
            with contextlib.suppress(TimeoutError, *TRANSPORT_ERRORS):
                async with asyncio.timeout(1.0):
                    await socket.close()
        self._end()

    async def _hello(self) -> frames.Frame:
        while True:
            message = await self._sockets[_OUTPUT].receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise ConnectionResetError("it ended")
            for frame in self._decoder.feed(message.data):
                return frame

    async def _read(self) -> None:
        try:
            async for message in self._sockets[_OUTPUT]:
                if message.type is not aiohttp.WSMsgType.BINARY:
                    break
                self._heard = time.monotonic()
                for frame in self._decoder.feed(message.data):
                    if (sink := self._sinks.get(frame.number)) is not None:
                        await sink(frame)
        except TRANSPORT_ERRORS:
            pass
        finally:
            self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def _empty(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Answer pings, and take what nobody wants: the words of the program's Python when it breaks."""
    with contextlib.suppress(*TRANSPORT_ERRORS):
        async for _ in socket:
            pass


async def open_session(incus: Connection, project: str, name: str, python: str) -> Session:
    """Start the program in a machine. Raises NothingDone, NoPython, WayFailed: nothing was done there."""
    try:
        operation, sockets = await _exec(incus, project, name, python)
    except IncusError as error:
        kind = NothingDone if any(words in error.message for words in PASSING) else WayFailed
        raise kind(f"Incus refused to enter {project}/{name}: {error.message}.") from error
    except (BackendError, *TRANSPORT_ERRORS) as error:
        raise NothingDone(f"Incus cannot be reached: {_words(error)}") from error
    session = Session(python, sockets)
    try:
        await session.greet()
    except NoPython as error:
        await session.close()
        if await _has_lost_it(incus, operation):
            raise NothingDone(f"Incus refused to enter {project}/{name}: {LOST}.") from error
        raise
    except BaseException:
        await session.close()
        raise
    return session


async def _exec(
    incus: Connection, project: str, name: str, python: str
) -> tuple[str, dict[str, aiohttp.ClientWebSocketResponse]]:
    """The operation, and the ways to the program."""
    body = {"command": [python, "-c", BOOT], "wait-for-websocket": True, "interactive": False}
    answer = await incus.request("POST", f"/instances/{name}/exec", body, {"project": project})
    operation: dict[str, Any] = answer["metadata"]
    address = f"{BASE}/1.0/operations/{operation['id']}/websocket?secret="
    secrets: dict[str, str] = operation["metadata"]["fds"]
    opened = await asyncio.gather(
        *(incus.session.ws_connect(address + secret, max_msg_size=0) for secret in secrets.values())
    )
    return operation["id"], dict(zip(secrets, opened, strict=True))


async def _has_lost_it(incus: Connection, operation: str) -> bool:
    """Whether Incus knows nothing of the program, which may run: it was asked for nothing, and ends with its input."""
    with contextlib.suppress(TimeoutError, BackendError, *TRANSPORT_ERRORS):
        async with asyncio.timeout(_SILENCE):
            try:
                await incus.request("GET", f"/operations/{operation}/wait")
            except IncusError as error:
                return LOST in error.message
    return False


def _words(error: Exception) -> str:
    if isinstance(error, BackendError):
        return f"{error.diagnostics[0].detail} {error.diagnostics[0].hint or ''}".strip()
    return str(error) or type(error).__name__
