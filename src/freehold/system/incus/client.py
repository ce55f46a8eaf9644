"""The real Incus client: its REST API over a unix socket, asynchronous (aiohttp).

Made by `cli` for the local daemon or for the lab's, handed to `providers.incus`. Reads are repeated when the daemon
is away for a moment; writes are not (their outcome is unknown): they raise IncusInterrupted.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from freehold.system.incus.api import (
    ExecResult,
    IncusError,
    IncusInterrupted,
    IncusUnavailable,
    Progress,
)
from freehold.system.incus.http import aiohttp
from freehold.system.incus.operations import OperationEvents

_BASE = "http://incus/1.0"
_RETRY_PAUSE = 0.25  # seconds between two looks for a daemon that is away
_READ_PATIENCE = 30.0  # seconds for which a read waits for a daemon that restarts
_EXEC_RETRY_MESSAGE = (
    "Failed to retrieve PID of executing child process"  # seen in a container's first seconds
)


class IncusClient:
    """An Incus server behind a unix socket."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(socket), limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        )
        self._events = OperationEvents(
            self._session, f"{_BASE}/events?type=operation&all-projects=true"
        )

    async def get(self, path: str, **query: str) -> Any:
        deadline = time.monotonic() + _READ_PATIENCE
        while True:
            try:
                return (await self._request("GET", path, None, query))["metadata"]
            except IncusInterrupted:
                if not self.socket.exists() or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_RETRY_PAUSE)

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        progress: Progress | None = None,
        **query: str,
    ) -> Any:
        await self._open_events(f"{method} {path}")
        answer = await self._request(method, path, body, query)
        if answer["type"] != "async":
            return answer["metadata"]
        return await self._end_of(f"{method} {path}", answer["metadata"]["id"], progress)

    async def execute(
        self, project: str, instance: str, command: Sequence[str], *, timeout: float = 30.0
    ) -> ExecResult:
        deadline = time.monotonic() + timeout
        while True:
            try:
                return await asyncio.wait_for(
                    self._execute_once(project, instance, command), timeout
                )
            except IncusError as error:
                if _EXEC_RETRY_MESSAGE not in error.message or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_RETRY_PAUSE)

    async def wait_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                await self._request("GET", "", None, {})
            except (IncusInterrupted, IncusUnavailable) as error:
                if time.monotonic() > deadline:
                    raise IncusUnavailable(
                        str(self.socket),
                        f"no answer within {timeout:.0f} seconds ({error.diagnostics[0].detail})",
                        "Look at the daemon's log: `journalctl -u incus`.",
                    ) from error
                await asyncio.sleep(_RETRY_PAUSE)
            else:
                return

    async def close(self) -> None:
        await self._events.close()
        await self._session.close()

    async def _execute_once(
        self, project: str, instance: str, command: Sequence[str]
    ) -> ExecResult:
        ended = await self.send(
            "POST",
            f"/instances/{instance}/exec",
            {"command": list(command), "record-output": True, "wait-for-websocket": False},
            project=project,
        )
        result = ended["metadata"]
        logs = [await self._log(url, project) for _, url in sorted(result["output"].items())]
        return ExecResult(result["return"], *logs)

    async def _log(self, url: str, project: str) -> str:
        """Fetch one recorded stream, and delete it: it may hold what nobody else should read."""
        address = f"http://incus{url}?{urlencode({'project': project})}"
        async with self._session.get(address) as response:
            text = await response.text()
        async with self._session.delete(address):
            return text

    async def _open_events(self, request: str) -> None:
        try:
            await self._events.open()
        except (aiohttp.ClientError, OSError) as error:
            raise self._away(request, error) from error

    async def _end_of(self, request: str, operation: str, progress: Progress | None) -> Any:
        state = await self._events.finished(operation, progress)
        if state is None:
            state = await self._asked_state(request, operation)
        if state["status_code"] >= 400:
            raise IncusError(request, state["status_code"], state["err"])
        return state

    async def _asked_state(self, request: str, operation: str) -> Any:
        """Ask for an operation whose event was missed; a restarted daemon has forgotten it."""
        try:
            answer = await self._request("GET", f"/operations/{operation}/wait", None, {})
        except IncusError as error:
            raise IncusInterrupted(request, "the operation is unknown after a restart") from error
        return answer["metadata"]

    async def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        query: Mapping[str, str],
    ) -> Any:
        request = f"{method} {path or '/'}"
        url = f"{_BASE}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            async with self._session.request(method, url, json=body) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._away(request, error) from error
        if answer["type"] == "error":
            raise IncusError(request, answer["error_code"], answer["error"])
        return answer

    def _away(self, request: str, error: Exception) -> IncusInterrupted | IncusUnavailable:
        if not self.socket.exists():
            return IncusUnavailable(
                str(self.socket),
                "there is no such socket",
                "Install and start Incus (`sudo incus admin init --minimal`), or use the lab: "
                "`freehold lab start`, then `freehold --lab …`.",
            )
        if isinstance(error, PermissionError) or "Permission denied" in str(error):
            return IncusUnavailable(
                str(self.socket),
                "permission denied",
                "Run as root, or join the group `incus-admin` and log in again.",
            )
        return IncusInterrupted(request, str(error) or type(error).__name__)
