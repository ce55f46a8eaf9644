"""Counts what is written to an Incus, on the server's own word: a second client that listens to its events."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

_EVENTS = "http://incus/1.0/events?type=operation,lifecycle&all-projects=true"
_PATIENCE = 60.0


class Events:
    """While it is open, `heard` grows by every operation and every change that the server tells of."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._connected = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()))
        self._end: Callable[[], object] = lambda: None
        self.heard: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._connected.wait(_PATIENCE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()
        self._thread.join(_PATIENCE)

    def wait_for(self, text: str) -> None:
        """Return once an event that holds `text` was heard."""
        until = time.monotonic() + _PATIENCE
        while not any(text in json.dumps(event) for event in self.heard):
            assert time.monotonic() < until, self.heard
            time.sleep(0.02)

    async def _listen(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        connector = aiohttp.UnixConnector(path=str(self._socket))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect(_EVENTS, max_msg_size=0) as socket,
        ):
            self._connected.set()
            reading = asyncio.create_task(self._read(socket))
            await ended.wait()
            await socket.close()
            await reading

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.heard.append(message.json())
