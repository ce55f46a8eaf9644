"""What the real client makes of servers that are not there, go away, or talk nonsense: always a BackendError, soon."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from freehold.diagnostics import BackendError
from freehold.system.incus.api import (
    IncusError,
    IncusInterrupted,
    IncusNotUnderstood,
    IncusUnavailable,
)
from freehold.system.incus.client import IncusClient

AT_ONCE = 10.0  # seconds
SILENCE = 0.5
NOBODY = 65534
Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def client_of(where: Path) -> AsyncIterator[IncusClient]:
    client = IncusClient(where, read_patience=0.5, look_again=0.2, silence=SILENCE)
    try:
        yield client
    finally:
        await client.close()


def failure_of(where: Path, work: Callable[[IncusClient], Awaitable[Any]]) -> BackendError:
    """What the client raises, which must not take long."""

    async def scenario() -> None:
        async with client_of(where) as client:
            await work(client)

    before = time.monotonic()
    with pytest.raises(BackendError) as caught:
        asyncio.run(scenario())
    assert time.monotonic() - before < AT_ONCE
    return caught.value


def read(client: IncusClient) -> Awaitable[Any]:
    return client.get("/projects")


def write(client: IncusClient) -> Awaitable[Any]:
    return client.send("POST", "/projects", {"name": "x"})


def run_command(client: IncusClient) -> Awaitable[Any]:
    return client.execute("default", "one", ["true"])


WORKS = pytest.mark.parametrize("work", [read, write, run_command])


@WORKS
def test_no_socket(tmp_path: Path, work: Callable[[IncusClient], Awaitable[Any]]) -> None:
    failure = failure_of(tmp_path / "unix.socket", work)

    assert isinstance(failure, IncusUnavailable)
    assert "no such socket" in failure.diagnostics[0].detail
    assert "freehold lab start" in (failure.diagnostics[0].hint or "")


@WORKS
def test_a_socket_that_nobody_listens_on(
    tmp_path: Path, work: Callable[[IncusClient], Awaitable[Any]]
) -> None:
    where = tmp_path / "unix.socket"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(where))

    failure = failure_of(where, work)

    assert isinstance(failure, IncusUnavailable)
    assert "nobody listens" in failure.diagnostics[0].detail


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody without permission")
@pytest.mark.parametrize("work", [read, write])
@pytest.mark.parametrize("closed", ["folder", "socket"])
def test_no_permission(
    tmp_path: Path, work: Callable[[IncusClient], Awaitable[Any]], closed: str
) -> None:
    folder = tmp_path / "incus"
    folder.mkdir()
    where = folder / "unix.socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(where))
        server.listen()
        where.chmod(0o600 if closed == "socket" else 0o666)
        folder.chmod(0o700 if closed == "folder" else 0o755)
        for parent in (tmp_path, *tmp_path.parents[:2]):
            parent.chmod(0o755)
        os.seteuid(NOBODY)
        try:
            failure = failure_of(where, work)
        finally:
            os.seteuid(0)

    assert isinstance(failure, IncusUnavailable)
    assert "permission denied" in failure.diagnostics[0].detail
    assert "incus-admin" in (failure.diagnostics[0].hint or "")


def http(
    body: bytes, status: str = "200 OK", headers: str = "", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{headers}\r\n".encode() + body


NONSENSE = {
    "not HTTP": b"220 mail.example.org ESMTP\r\n",
    "not JSON": http(b"<html>It works!</html>"),
    "a list": http(b"[]"),
    "an empty object": http(b"{}"),
    "no metadata": http(b'{"type": "sync"}'),
    "not UTF-8": http(b'{"type": "\xff"}'),
    "an unknown character set": http(b"{}", headers="Content-Type: text/plain; charset=zzz\r\n"),
    "a number": http(b"7"),
    "nothing": http(b""),
    "an error page": http(b"Bad Gateway", status="502 Bad Gateway"),
}


@WORKS
@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_server_that_is_not_incus(
    tmp_path: Path, answer: bytes, work: Callable[[IncusClient], Awaitable[Any]]
) -> None:
    failure = failure_with_raw_server(tmp_path / "unix.socket", answer, work)

    assert isinstance(failure, IncusNotUnderstood)
    assert failure.diagnostics[0].hint


@WORKS
@pytest.mark.parametrize("answer", [b"", http(b'{"type": "sync", "meta', length=1000)])
def test_a_server_that_hangs_up(
    tmp_path: Path, answer: bytes, work: Callable[[IncusClient], Awaitable[Any]]
) -> None:
    failure = failure_with_raw_server(tmp_path / "unix.socket", answer, work)

    assert isinstance(failure, IncusInterrupted | IncusNotUnderstood)


def failure_with_raw_server(
    where: Path, answer: bytes, work: Callable[[IncusClient], Awaitable[Any]]
) -> BackendError:
    """The client's failure with a server that says the same to everybody and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def scenario() -> BackendError:
        server = await asyncio.start_unix_server(talk, where)
        async with server, client_of(where) as client:
            with pytest.raises(BackendError) as caught:
                async with asyncio.timeout(AT_ONCE):
                    await work(client)
            return caught.value

    return asyncio.run(scenario())


OPERATION = {"id": "0e6c", "status_code": 103, "err": "", "metadata": None}


class Daemon:
    """Answers as Incus does, as far as these tests need: one operation, whose events never come."""

    def __init__(self) -> None:
        self.busy = 0
        self.ends: dict[str, Any] | None = {**OPERATION, "status_code": 200}
        self.listeners: list[web.WebSocketResponse] = []
        self.listening = asyncio.Event()

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/1.0/events", self.events)
        application.router.add_get("/1.0/operations/{id}", self.operation)
        application.router.add_route("*", "/{path:.*}", self.anything)
        return application

    async def anything(self, request: web.Request) -> web.Response:
        if self.busy:
            self.busy -= 1
            error = {"type": "error", "error_code": 503, "error": "Daemon setup in progress"}
            return web.json_response({**error, "metadata": None}, status=503)
        if request.method == "GET":
            return web.json_response({"type": "sync", "metadata": ["here"]})
        return web.json_response({"type": "async", "metadata": OPERATION}, status=202)

    async def operation(self, request: web.Request) -> web.Response:
        if self.ends is None:
            error = {"type": "error", "error_code": 404, "error": "Operation not found"}
            return web.json_response({**error, "metadata": None}, status=404)
        return web.json_response({"type": "sync", "metadata": self.ends})

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        listener = web.WebSocketResponse()
        await listener.prepare(request)
        self.listeners.append(listener)
        self.listening.set()
        async for _ in listener:
            pass
        return listener

    def serve(self, folder: Path, scenario: Callable[[IncusClient], Awaitable[Any]]) -> Any:
        """Run a scenario against this daemon."""

        async def work() -> Any:
            runner = web.AppRunner(self.application(), shutdown_timeout=0.1)
            await runner.setup()
            where = folder / "unix.socket"
            await web.UnixSite(runner, where).start()
            try:
                async with client_of(where) as client, asyncio.timeout(20):
                    return await scenario(client)
            finally:
                await runner.cleanup()

        return asyncio.run(work())


def test_a_read_waits_for_a_daemon_that_starts(tmp_path: Path) -> None:
    daemon = Daemon()
    daemon.busy = 1
    assert daemon.serve(tmp_path, read) == ["here"]


def test_a_write_to_a_daemon_that_starts_is_worth_another_try(tmp_path: Path) -> None:
    daemon = Daemon()
    daemon.busy = 1
    with pytest.raises(IncusInterrupted, match="Daemon setup in progress"):
        daemon.serve(tmp_path, write)


def test_an_operation_whose_event_never_comes_is_asked_for(tmp_path: Path) -> None:
    assert Daemon().serve(tmp_path, write)["status_code"] == 200


def test_a_failed_operation_whose_event_never_comes(tmp_path: Path) -> None:
    daemon = Daemon()
    daemon.ends = {**OPERATION, "status_code": 400, "err": "no"}
    with pytest.raises(IncusError, match="no") as caught:
        daemon.serve(tmp_path, write)
    assert caught.value.status == 400


def test_an_operation_that_is_forgotten_has_an_unknown_outcome(tmp_path: Path) -> None:
    daemon = Daemon()
    daemon.ends = None
    with pytest.raises(IncusInterrupted, match="no longer knows the operation"):
        daemon.serve(tmp_path, write)


@pytest.mark.parametrize("nonsense", ["no JSON", "[]", "{}", '{"metadata": {}}'])
def test_events_that_make_no_sense_are_no_harm(tmp_path: Path, nonsense: str) -> None:
    daemon = Daemon()

    async def scenario(client: IncusClient) -> Any:
        first = asyncio.ensure_future(client.send("POST", "/projects", {}))
        await daemon.listening.wait()
        await daemon.listeners[0].send_str(nonsense)
        return (await first)["status_code"], (await client.send("POST", "/x"))["status_code"]

    assert daemon.serve(tmp_path, scenario) == (200, 200)


def test_a_server_that_never_answers_is_not_waited_for_without_end(tmp_path: Path) -> None:
    where = tmp_path / "unix.socket"
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(where))
        deaf.listen()
        failure = failure_of(where, read)

    assert isinstance(failure, IncusUnavailable)
    assert "takes connections and does not answer" in failure.diagnostics[0].detail
    assert "journalctl -u incus" in (failure.diagnostics[0].hint or "")


def test_a_server_that_falls_silent_has_gone_away(tmp_path: Path) -> None:
    class Silent(Daemon):
        async def anything(self, request: web.Request) -> web.Response:
            if request.path == "/1.0/silent":
                await asyncio.sleep(60)
            return await super().anything(request)

    async def scenario(client: IncusClient) -> Any:
        assert await client.get("/projects") == ["here"]
        with pytest.raises(IncusInterrupted, match="no answer within"):
            await client.get("/silent")

    Silent().serve(tmp_path, scenario)


def test_what_is_waited_for_may_take_its_time(tmp_path: Path) -> None:
    class Slow(Daemon):
        async def anything(self, request: web.Request) -> web.Response:
            await asyncio.sleep(3 * SILENCE)
            return await super().anything(request)

    async def scenario(client: IncusClient) -> Any:
        return await client.send("POST", "/projects", {})

    assert Slow().serve(tmp_path, scenario)["status_code"] == 200
