"""The proxy of egress as a machine meets it: on a unix socket, with servers on this machine's loopback behind it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from freehold.operations.lab.egress import exchange, proxy, side
from freehold.operations.lab.egress.gate import Gate, look_up
from freehold.operations.lab.egress.proxy import Door
from freehold.operations.lab.egress.targets import Target
from freehold.operations.lab.egress.upstream import Upstream
from freehold.operations.lab.egress.way import Ways

Serve = Callable[[StreamReader, StreamWriter], Awaitable[None]]


class Stage:
    """Servers on loopback, and the proxy before them, which takes them for this computer's package servers."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.socket = folder / "proxy.sock"
        self._stack = stack
        self.servers = {Target("nowhere.invalid", 80)}
        self.heads: list[bytes] = []

    async def server(self, serve: Serve) -> int:
        """A server of the test's own; its port."""
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        await self._stack.enter_async_context(server)
        port = int(server.sockets[0].getsockname()[1])
        self.servers.add(Target("127.0.0.1", port))
        return port

    async def origin(self, answer: bytes) -> int:
        """A server that notes each request's head and answers with the same bytes, then closes."""

        async def serve(reader: StreamReader, writer: StreamWriter) -> None:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
            writer.close()

        return await self.server(serve)

    async def open(self, upstreams: dict[str, Upstream] | None = None, direct: str = "") -> None:
        """Start the proxy."""
        gate = Gate(frozenset(self.servers), lookup_here)
        self.door = Door(Ways(gate, upstreams or {}, direct))
        server = await asyncio.start_unix_server(self.door.enter, self.socket)
        await self._stack.enter_async_context(server)

    async def say(self, request: bytes) -> bytes:
        """All that the proxy answers until it closes."""
        reader, writer = await self.connect()
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer

    async def inside(self, count: int) -> None:
        """Wait until so many connections are inside."""
        while self.door._inside != count:  # noqa: ASYNC110 - the proxy tells nobody
            await asyncio.sleep(0.01)

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        self._stack.callback(writer.close)
        return reader, writer


async def lookup_here(host: str, port: int) -> Sequence[str]:
    """Addresses however they are spelled, and `localhost`; nobody on a network is asked."""
    if host != "localhost" and not (":" in host or host[0].isdigit()):
        raise OSError("no such name")
    return await look_up(host, port)


def on_stage(folder: Path, scene: Callable[[Stage], Awaitable[None]]) -> None:
    """Play a scene, which may take ten seconds."""

    async def play() -> None:
        async with AsyncExitStack() as stack, asyncio.timeout(10):
            await scene(Stage(folder, stack))

    asyncio.run(play())


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def get(
    port: int, path: str = "/", more: str = "Connection: close\r\n", method: str = "GET"
) -> bytes:
    return f"{method} http://127.0.0.1:{port}{path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


def test_a_request_goes_to_its_server_as_that_wants_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        port = await stage.origin(OK)
        await stage.open()
        more = (
            "Proxy-Connection: keep-alive\r\nX-Mine: 1\r\nX-Hop: 2\r\nConnection: close, x-hop\r\n"
        )
        answer = await stage.say(get(port, "/a%20b?c=d", more))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nhello")
        (head,) = stage.heads
        lines = head.decode().lower().split("\r\n")
        assert lines[0] == "get /a%20b?c=d http/1.1"
        assert f"host: 127.0.0.1:{port}" in lines
        assert "x-mine: 1" in lines
        assert not [line for line in lines if line.startswith(("proxy-", "x-hop", "host: x"))]

    on_stage(tmp_path, scene)


def test_requests_that_are_sent_at_once_are_answered_in_order(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        first = await stage.origin(OK)
        second = await stage.origin(OK.replace(b"hello", b"world"))
        await stage.open()
        answer = await stage.say(get(first, more="") + get(second, more="") + get(first))
        assert [part[:5] for part in answer.split(b"\r\n\r\n")[1:]] == [
            b"hello",
            b"world",
            b"hello",
        ]

    on_stage(tmp_path, scene)


def test_an_answer_without_a_length_is_whole(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        body = b"0123456789" * 50_000
        port = await stage.origin(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        await stage.open()
        reader, writer = await stage.connect()
        writer.write(get(port))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"chunked" in head.lower()
        rest = await reader.read()
        assert rest.count(b"0123456789") >= 49_000, "a block's border may fall into a few"
        assert rest.endswith(b"\r\n0\r\n\r\n")

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 4\r\n\r\nmore", b"Transfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n"],
)
def test_what_is_uploaded_arrives(tmp_path: Path, body: bytes) -> None:
    got: list[bytes] = []

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while b"more" not in b"".join(got):
            got.append(await reader.read(100))
        writer.write(OK)
        writer.close()

    async def scene(stage: Stage) -> None:
        port = await stage.server(serve)
        await stage.open()
        head = f"PUT http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        answer = await stage.say(head.encode() + body)
        assert answer.startswith(b"HTTP/1.1 200 OK")

    on_stage(tmp_path, scene)


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    """Say hello at once, then everything back until the other end has no more."""
    writer.write(b"hello ")
    while block := await reader.read(1000):
        writer.write(block)
    writer.write(b" bye")
    writer.close()


def test_a_tunnel_carries_everything_both_ways(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        port = await stage.server(echo)
        await stage.open()
        reader, writer = await stage.connect()
        head = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        writer.write(head.encode() + b"impatient")  # without waiting for the answer
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.write(b" patient")
        writer.write_eof()
        assert await reader.read() == b"hello impatient patient bye"

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("request_line", "status", "words"),
    [
        ("CONNECT 127.0.0.1:443", 403, "127.0.0.1:443 is none of them"),
        ("CONNECT 10.100.1.1:443", 403, "is none of them"),
        ("CONNECT [fd00::1]:443", 403, "[fd00::1]:443 is none of them"),
        ("CONNECT 203.0.113.9:22", 403, "is none of them"),
        ("CONNECT 203.0.113.9", 400, "host:port"),
        ("GET http://localhost/", 403, "localhost:80 is none of them"),
        ("GET http://example.org/", 403, "example.org:80 is none of them"),
        ("HEAD http://169.254.169.254/latest/", 403, "is none of them"),
        ("GET http://user@nowhere.invalid.example.org/", 403, "is none of them"),
        ("GET http://nowhere.invalid/", 502, "nowhere.invalid cannot be looked up"),
        ("GET /etc/passwd", 400, "this is a proxy"),
        ("GET https://example.org/", 400, "this is a proxy"),
        ("GET file:///etc/passwd", 400, "this is a proxy"),
    ],
)
def test_a_refusal_says_why_in_its_first_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], request_line: str, status: int, words: str
) -> None:
    async def scene(stage: Stage) -> None:
        await stage.open()
        answer = await stage.say(f"{request_line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head, _, body = answer.decode().partition("\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} Freehold's lab: ")
        assert words in head.splitlines()[0]
        assert (words in body) is not request_line.startswith("HEAD")

    on_stage(tmp_path, scene)
    assert words in capsys.readouterr().err, "the log has it too"


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"GET http://x/\r\n\r\n", b"x" * 100_000]
)
def test_what_is_no_http_is_refused(tmp_path: Path, nonsense: bytes) -> None:
    async def scene(stage: Stage) -> None:
        await stage.open()
        assert (await stage.say(nonsense)).startswith(b"HTTP/1.1 4")

    on_stage(tmp_path, scene)


def test_a_server_that_breaks_off_is_told_and_harms_nobody(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        silent = await stage.origin(b"")
        short = await stage.origin(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
        good = await stage.origin(OK)
        await stage.open()
        assert (await stage.say(get(silent))).startswith(b"HTTP/1.1 502 ")
        assert (await stage.say(get(short))).endswith(b"hello"), "broken off here as well"
        assert (await stage.say(get(good))).endswith(b"hello")

    on_stage(tmp_path, scene)


def test_one_connection_too_many_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(stage: Stage) -> None:
        port = await stage.origin(OK)
        await stage.open()
        held = [await stage.connect() for _ in range(2)]
        await stage.inside(2)
        reader, writer = await stage.connect()
        assert b"503" in await reader.read()
        held[0][1].close()
        await stage.inside(1)
        assert (await stage.say(get(port))).endswith(b"hello")
        writer.close()

    monkeypatch.setattr(proxy, "MOST_CONNECTIONS", 2)
    on_stage(tmp_path, scene)


def test_connections_on_which_nothing_happens_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(stage: Stage) -> None:
        port = await stage.server(echo)
        await stage.open()
        reader, _ = await stage.connect()
        assert await reader.read() == b""
        reader, writer = await stage.connect()
        writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert (await reader.read()).endswith(b"hello ")

    monkeypatch.setattr(side, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(exchange, "IDLE_SECONDS", 0.2)
    on_stage(tmp_path, scene)


def test_this_computers_own_proxy_is_used_with_its_login(tmp_path: Path) -> None:
    async def corporate(reader: StreamReader, writer: StreamWriter) -> None:
        """A proxy that answers every request itself, tunnels with an echo."""
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head.decode())
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Fine\r\n\r\n")
            await echo(reader, writer)
        else:
            writer.write(OK)
            writer.close()

    heads: list[str] = []

    async def scene(stage: Stage) -> None:
        straight = await stage.origin(OK.replace(b"hello", b"local"))
        port = await stage.server(corporate)
        upstream = Upstream.of_address(f"http://me:p%40ss@127.0.0.1:{port}")
        stage.servers |= {Target("packages.example.invalid", number) for number in (80, 443)}
        await stage.open({"http": upstream, "https": upstream}, direct=f"127.0.0.1:{straight}")
        request = b"GET http://packages.example.invalid/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert (await stage.say(request)).endswith(b"hello")
        assert heads[0].startswith("GET http://packages.example.invalid/x HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic bWU6cEBzcw==\r\n" in heads[0]

        reader, writer = await stage.connect()
        writer.write(b"CONNECT packages.example.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"tls")
        writer.write_eof()
        assert await reader.read() == b"hello tls bye"
        assert heads[1].startswith("CONNECT packages.example.invalid:443 HTTP/1.1\r\n")

        assert (await stage.say(get(straight))).endswith(b"local"), "as no_proxy says"
        for closed in ("http://10.0.0.1/", "http://localhost/", "http://intranet/"):
            asked = f"GET {closed} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            assert (await stage.say(asked)).split()[1] == b"403"
        assert len(heads) == 2, "what is closed does not even reach that proxy"

    on_stage(tmp_path, scene)


def test_a_proxy_that_refuses_is_named(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        port = await stage.origin(b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n")
        stage.servers.add(Target("packages.example.invalid", 443))
        await stage.open({"https": Upstream.of_address(f"127.0.0.1:{port}")})
        asked = b"CONNECT packages.example.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n"
        assert b"the proxy of this computer answers 407" in await stage.say(asked)

    on_stage(tmp_path, scene)


def test_kinds_of_proxies_that_are_not_known_are_refused() -> None:
    with pytest.raises(ValueError, match="socks5"):
        Upstream.of_address("socks5://127.0.0.1:1080")
    secure = Upstream.of_address("https://proxy.example.org")
    assert (secure.target, secure.tls, secure.headers) == (
        Target("proxy.example.org", 443),
        True,
        [],
    )
