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
    IncusCommandTimeout,
    IncusError,
    IncusInterrupted,
    IncusNotUnderstood,
    IncusUnavailable,
    Progress,
)
from freehold.system.incus.connection import (
    BASE,
    SILENCE,
    TRANSPORT_ERRORS,
    Connection,
    refusal,
)
from freehold.system.incus.operations import OperationEvents

_RETRY_PAUSE = 0.25  # seconds between two looks for a daemon that is away
_FINISHED = (
    200  # operation status codes from here on are final: 200 success, 400 failure, 401 cancelled
)
_FAILED = 400
# Seen in a container's first seconds, and of every eighth command where system calls are intercepted: that one runs.
_EXEC_RETRY_MESSAGE = "Failed to retrieve PID of executing child process"


class IncusClient:
    """An Incus server behind a unix socket.

    `read_patience`: seconds for which a read waits for a daemon that restarts. `look_again`: seconds without an event
    after which an operation is asked for; Incus forgets it five seconds after its end. `silence`: seconds after which a
    server that does not answer a read is given up.
    """

    def __init__(
        self,
        socket: Path,
        *,
        read_patience: float = 30.0,
        look_again: float = 3.0,
        silence: float = SILENCE,
    ) -> None:
        self.socket = socket
        self._read_patience = read_patience
        self._look_again = look_again
        self._connection = Connection(socket, silence)
        self._events = OperationEvents(
            self._connection.session, f"{BASE}/1.0/events?type=operation&all-projects=true"
        )

    async def get(self, path: str, **query: str) -> Any:
        deadline = time.monotonic() + self._read_patience
        while True:
            try:
                return (await self._connection.request("GET", path, None, query))["metadata"]
            except IncusInterrupted:
                if time.monotonic() > deadline:
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
        request = f"{method} {path}"
        await self._open_events(request)
        answer = await self._connection.request(method, path, body, query)
        if answer["type"] != "async":
            return answer["metadata"]
        try:
            operation = answer["metadata"]["id"]
        except (KeyError, TypeError) as error:
            raise IncusNotUnderstood(request, "an operation without an id") from error
        return await self._end_of(request, operation, progress)

    async def execute(
        self, project: str, instance: str, command: Sequence[str], *, timeout: float = 30.0
    ) -> ExecResult:
        try:
            async with asyncio.timeout(timeout):
                return await self._execute(project, instance, command)
        except TimeoutError as error:
            raise IncusCommandTimeout(instance, command, timeout) from error

    async def wait_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                await self._connection.request("GET", "")
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
        await self._connection.close()

    async def _execute(self, project: str, instance: str, command: Sequence[str]) -> ExecResult:
        while True:
            try:
                return await self._execute_once(project, instance, command)
            except IncusError as error:
                if _EXEC_RETRY_MESSAGE not in error.message:
                    raise
                await asyncio.sleep(_RETRY_PAUSE)

    async def _execute_once(
        self, project: str, instance: str, command: Sequence[str]
    ) -> ExecResult:
        request = f"POST /instances/{instance}/exec"
        body = {"command": list(command), "record-output": True, "wait-for-websocket": False}
        ended = await self.send("POST", f"/instances/{instance}/exec", body, project=project)
        try:
            code, output = ended["metadata"]["return"], ended["metadata"]["output"]
            stdout, stderr = output["1"], output["2"]
        except (KeyError, TypeError) as error:
            raise IncusNotUnderstood(request, "no recorded output") from error
        logs = [await self._take_log(request, url, project) for url in (stdout, stderr)]
        return ExecResult(code, *logs)

    async def _take_log(self, request: str, url: str, project: str) -> str:
        """Fetch one recorded stream, and delete it: it may hold what nobody else should read."""
        address = f"{BASE}{url}?{urlencode({'project': project})}"
        session = self._connection.session
        try:
            async with session.get(address) as response:
                content = await response.read()
                if response.status != 200:
                    raise IncusError(request, response.status, "the recorded output is gone")
            async with session.delete(address):
                return _text(content)
        except TRANSPORT_ERRORS as error:
            raise self._connection.failure(request, error) from error

    async def _open_events(self, request: str) -> None:
        try:
            await self._events.open()
        except TRANSPORT_ERRORS as error:
            raise self._connection.failure(request, error) from error

    async def _end_of(self, request: str, operation: str, progress: Progress | None) -> Any:
        """Wait for the operation's last event; look for oneself now and then, for an event may be missed."""
        while True:
            try:
                async with asyncio.timeout(self._look_again):
                    state = await self._events.finished(operation, progress)
            except TimeoutError:
                state = None
            state = state or await self._asked_state(request, operation)
            if state["status_code"] >= _FAILED:
                raise refusal(request, state["status_code"], state["err"])
            if state["status_code"] >= _FINISHED:
                return state
            await asyncio.sleep(0 if self._events.listening else _RETRY_PAUSE)

    async def _asked_state(self, request: str, operation: str) -> Any:
        """Ask for an operation; a restarted daemon has forgotten it, and then nobody knows how it ended."""
        try:
            return (await self._connection.request("GET", f"/operations/{operation}"))["metadata"]
        except IncusError as error:
            raise IncusInterrupted(request, "Incus no longer knows the operation") from error
        except (IncusInterrupted, IncusUnavailable) as error:
            raise IncusInterrupted(request, error.diagnostics[0].detail) from error


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
