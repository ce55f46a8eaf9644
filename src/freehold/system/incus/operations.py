"""Waiting for Incus's background operations by its events websocket instead of a poll per operation.

`client.py` opens one `OperationEvents` before its first write and asks it for the end of each operation.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from freehold.system.incus.api import Progress
from freehold.system.incus.http import aiohttp

_REMEMBERED = (
    1000  # ends of operations nobody has asked for yet; other clients' operations are among them
)
_FINAL = 200  # operation status codes: 103 running, 200 success, 400 failure, 401 cancelled (doc/rest-api)


class OperationEvents:
    """The last known state of every operation seen on the events websocket.

    An operation may end before its caller learns its id, so the states of unknown ids are kept too.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._finished: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._progress: dict[str, Progress] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    @property
    def listening(self) -> bool:
        """Whether events still come in."""
        return self._reader is not None and not self._reader.done()

    async def open(self) -> None:
        """Connect unless connected; raises aiohttp.ClientError when the server is away."""
        async with self._opening:
            if self._socket is None or self._socket.closed or not self.listening:
                self._socket = await self._session.ws_connect(self._url, max_msg_size=0)
                self._reader = asyncio.create_task(self._read(self._socket))

    async def finished(self, operation: str, progress: Progress | None) -> dict[str, Any] | None:
        """The operation's last state once it is over; None when the connection broke and nothing is known."""
        if operation in self._finished:
            return self._finished.pop(operation)
        if not self.listening:
            return None
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[operation] = future
        if progress is not None:
            self._progress[operation] = progress
        try:
            return await future
        except ConnectionResetError:
            return None
        finally:
            self._waiting.pop(operation, None)
            self._progress.pop(operation, None)

    async def close(self) -> None:
        """Stop reading and close the websocket."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self._socket is not None:
            await self._socket.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Ends with the connection, or with the first event that cannot be understood; those who wait are told."""
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.json()["metadata"])
        except (ValueError, KeyError, TypeError):
            await socket.close()
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionResetError())

    def _take(self, state: dict[str, Any]) -> None:
        operation = state["id"]
        if state["status_code"] >= _FINAL:
            future = self._waiting.get(operation)
            if future is None:
                self._finished[operation] = state
                if len(self._finished) > _REMEMBERED:
                    self._finished.pop(next(iter(self._finished)))
            elif not future.done():
                future.set_result(state)
        elif report := self._progress.get(operation):
            _report(state, report)


def _report(state: dict[str, Any], report: Callable[[str], None]) -> None:
    for key, value in (state.get("metadata") or {}).items():
        if key.endswith("_progress") and isinstance(value, str):
            report(value)
