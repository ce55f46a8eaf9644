"""The server on a real socket of this computer: who gets in, and what a browser is told that it may do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlencode

import aiohttp
import pytest

from freehold.system.pages import Asked, Given, PageServer, Refusal
from freehold.system.pages.guard import Guard, new_token

TOKEN = "t0ken-of-this-test"


@dataclass
class Pages:
    """A site of two pages, one of which is broken."""

    asked: list[Asked] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    @property
    def open(self) -> Collection[str]:
        return ("/page.css",)

    async def answer(self, asked: Asked) -> Given | None:
        self.asked.append(asked)
        if asked.path == "/broken":
            raise RuntimeError("particulars of the estate")
        if asked.path == "/page.css":
            return Given(body="p {}", kind="text/css", tag="1")
        if asked.path == "/elsewhere":
            return Given(status=303, leads_to=asked.query["to"])
        return Given(body="<p>facts</p>") if asked.path == "/" else None

    def refused(self, asked: Asked, why: Refusal) -> Given:
        return Given(body=f"<p>{why.value}</p>", status=why.status)

    def failed(self, error: Exception) -> None:
        self.errors.append(error)


@dataclass(frozen=True)
class Reply:
    status: int
    body: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]


class Visitor:
    """Asks over the network, with whatever headers; follows nowhere and keeps no cookie of its own accord."""

    def __init__(self, server: PageServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self._session = session

    async def __call__(self, path: str = "", method: str = "GET", **headers: str) -> Reply:
        """Without a path: the page itself, where whoever has the cookie gets it."""
        path = path or self.server.guard.root
        address = f"http://127.0.0.1:{self.server.port}{path}"
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(
            method, address, headers=told, allow_redirects=False
        ) as reply:
            cookies = {name: morsel.OutputString() for name, morsel in reply.cookies.items()}
            return Reply(reply.status, await reply.text(), reply.headers, cookies)

    async def let_in(self) -> str:
        """The cookie that the token is exchanged for, as a header."""
        reply = await self(f"/?token={TOKEN}")
        (cookie,) = reply.cookies.values()
        return cookie.partition(";")[0]


def visit(what: Callable[[Visitor], Awaitable[None]], site: Pages | None = None) -> None:
    async def run() -> None:
        jar = aiohttp.DummyCookieJar()
        async with (
            PageServer(site or Pages(), TOKEN, "127.0.0.1", 0) as server,
            aiohttp.ClientSession(cookie_jar=jar) as session,
        ):
            await what(Visitor(server, session))

    asyncio.run(run())


def test_without_the_token_nobody_sees_anything() -> None:
    site = Pages()

    async def what(get: Visitor) -> None:
        for path in ("", "/", "/status.json", "/runs/x", "/nothing-there"):
            reply = await get(path)
            assert (reply.status, reply.body) == (401, "<p>stranger</p>")
            assert reply.cookies == {}
        wrong = await get(f"/?token={TOKEN}x")
        assert (wrong.status, wrong.body, wrong.cookies) == (403, "<p>wrong-key</p>", {})
        odd = await get("/?token=%ff%00é")
        assert odd.status == 403

    visit(what, site)
    assert site.asked == []


def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address() -> None:
    async def what(get: Visitor) -> None:
        reply = await get(f"/?token={TOKEN}&lang=fr")
        root = get.server.guard.root
        assert (reply.status, reply.headers["Location"]) == (303, root)
        (cookie,) = reply.cookies.values()
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        named = cookie.partition(";")[0]
        inside = await get(root, Cookie=named)
        assert (inside.status, inside.body) == (200, "<p>facts</p>")
        stranger = await get(root, Cookie=f"{named}x")
        assert stranger.status == 401
        other = await get(root, Cookie=f"{get.server.guard.cookie}={TOKEN}")
        assert other.status == 401  # the token is none of the things that a cookie may hold

    visit(what)


def test_the_token_leads_to_no_other_server() -> None:
    async def what(get: Visitor) -> None:
        for path in ("//evil.example.org/x", "/%5Cevil.example.org/x", "/.//evil.example.org/x"):
            reply = await get(f"{path}?token={TOKEN}")
            assert reply.headers["Location"].startswith(get.server.guard.root)
            assert "\\" not in reply.headers["Location"]

    visit(what)


def test_the_cookie_goes_to_no_other_server_of_this_computer() -> None:
    """Cookies are kept apart by path, not by port (RFC 6265, section 8.5): the path is one that nobody else knows."""
    site = Pages()

    async def what(get: Visitor) -> None:
        root = get.server.guard.root
        assert len(root) > 20
        reply = await get(f"/?token={TOKEN}")
        (cookie,) = reply.cookies.values()
        assert f"; Path={root};" in cookie
        named = cookie.partition(";")[0]
        assert (await get(f"{root}runs/x", Cookie=named)).status == 404
        for path in ("/", root[:-1] + "x/", root[:-1]):  # a cookie that somebody got hold of
            assert (await get(path, Cookie=named)).status == 401

    visit(what, site)
    assert [asked.path for asked in site.asked] == ["/runs/x"]
    assert Guard("x", 1).root != Guard("x", 1).root


@pytest.mark.parametrize(
    "to", ["/x", "/\\evil.example.org", "//evil.example.org", "/a\r\nSet-Cookie: x=y"]
)
def test_a_site_leads_nowhere_but_into_itself(to: str) -> None:
    async def what(get: Visitor) -> None:
        root, cookie = get.server.guard.root, await get.let_in()
        reply = await get(f"{root}elsewhere?{urlencode({'to': to})}", Cookie=cookie)
        assert reply.status == 303
        assert unquote(reply.headers["Location"]) == root[:-1] + to
        assert not {"\\", "\r", "\n", " "} & set(reply.headers["Location"])
        assert reply.cookies == {}

    visit(what)


def test_a_site_is_never_asked_with_the_token() -> None:
    site = Pages()

    async def what(get: Visitor) -> None:
        inside = f"{get.server.guard.root}?lang=fr"
        await get(inside, Cookie=await get.let_in(), Accept_Language="fr")

    visit(what, site)
    (asked,) = site.asked
    assert asked.query == {"lang": "fr"}
    assert asked.languages == "fr"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org",
        "evil.example.org:{port}",
        "127.0.0.1.example.org:{port}",
        "",
    ],
)
def test_under_a_name_of_somebody_else_nothing_is_shown(host: str) -> None:
    async def what(get: Visitor) -> None:
        cookie = await get.let_in()
        name = host.format(port=get.server.port)
        for path in ("", "/page.css", f"/?token={TOKEN}"):
            reply = await get(path, Host=name, Cookie=cookie)
            assert (reply.status, reply.body) == (403, "<p>wrong-host</p>")

    visit(what)


def test_under_the_computers_own_names_it_is() -> None:
    guard = Guard("x", 8765)
    for host in (
        "127.0.0.1:8765",
        "localhost:8765",
        "LOCALHOST:8765",
        "[::1]:8765",
        "203.0.113.9:8765",
        "localhost",
        "localhost:9000",  # led here from another port, by SSH for one
        "[::1]:9000",
    ):
        assert guard.knows_host(host), host


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_sent_to_it(method: str) -> None:
    site = Pages()

    async def what(get: Visitor) -> None:
        reply = await get("", method, Cookie=await get.let_in())
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")

    visit(what, site)
    assert site.asked == []


def test_head_has_the_headers_of_the_page_without_it() -> None:
    async def what(get: Visitor) -> None:
        cookie = await get.let_in()
        page, head = await get("", Cookie=cookie), await get("", "HEAD", Cookie=cookie)
        assert (head.status, head.body) == (200, "")
        for name in ("Content-Length", "Content-Type", "Cache-Control"):
            assert head.headers[name] == page.headers[name]

    visit(what)


def test_what_a_browser_has_already_is_not_sent_again() -> None:
    async def what(get: Visitor) -> None:
        tag = (await get("/page.css")).headers["ETag"]
        same = await get("/page.css", If_None_Match=tag)
        assert (same.status, same.body) == (304, "")
        assert (await get("/page.css", If_None_Match='W/"6"')).status == 200

    visit(what)


def test_facts_are_kept_by_no_browser() -> None:
    """Else the page of a run of yesterday, of another estate even, could be shown again."""

    async def what(get: Visitor) -> None:
        cookie = await get.let_in()
        for reply in (await get("", Cookie=cookie), await get("")):
            assert reply.headers["Cache-Control"] == "no-store"
            assert "ETag" not in reply.headers
        assert (await get("", Cookie=cookie, If_None_Match="*")).status == 200
        assert (await get("/page.css")).headers["Cache-Control"] == "private, no-cache"

    visit(what)


def test_every_answer_tells_the_browser_to_load_nothing_from_elsewhere() -> None:
    async def what(get: Visitor) -> None:
        cookie = await get.let_in()
        replies = [
            await get("", Cookie=cookie),
            await get("/"),
            await get("/page.css"),
            await get(f"{get.server.guard.root}broken", Cookie=cookie),
            await get("/", "POST"),
        ]
        for reply in replies:
            policy = reply.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; style-src 'self'")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert reply.headers["X-Frame-Options"] == "DENY"
            assert reply.headers["Referrer-Policy"] == "no-referrer"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert "aiohttp" not in reply.headers["Server"].lower()

    visit(what)


def test_what_nobody_expected_is_a_page_without_particulars(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Pages()

    async def what(get: Visitor) -> None:
        root, cookie = get.server.guard.root, await get.let_in()
        reply = await get(f"{root}broken", Cookie=cookie)
        assert (reply.status, reply.body) == (500, "<p>broken</p>")
        assert (await get(f"{root}nothing", Cookie=cookie)).status == 404

    with caplog.at_level(logging.DEBUG):
        visit(what, site)
    assert [str(error) for error in site.errors] == ["particulars of the estate"]
    said = capsys.readouterr()
    assert TOKEN not in caplog.text + said.out + said.err


def test_who_does_not_speak_http_learns_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    async def what(get: Visitor) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", get.server.port)
        writer.write(f"GET /?token={TOKEN} NONSENSE\r\n\x00\r\n\r\n".encode())
        await writer.drain()
        answer = (await reader.read()).decode()
        writer.close()
        assert "400" in answer.splitlines()[0]
        assert "Traceback" not in answer
        assert TOKEN not in answer
        head = answer.partition("\r\n\r\n")[0].splitlines()
        assert "Server: freehold" in head
        assert "Cache-Control: no-store" in head
        assert any(line.startswith("Content-Security-Policy: default-src 'none'") for line in head)

    visit(what)
    assert TOKEN not in capsys.readouterr().err


def test_two_servers_have_cookies_of_their_own_and_tokens_are_long() -> None:
    assert Guard("x", 1).cookie != Guard("x", 2).cookie
    assert Guard("x", 1).session != Guard("x", 1).session
    assert len({new_token() for _ in range(50)}) == 50
    assert len(new_token()) >= 43


def test_a_port_that_is_taken_is_an_error() -> None:
    async def what(get: Visitor) -> None:
        with pytest.raises(OSError, match="in use"):
            PageServer(Pages(), TOKEN, "127.0.0.1", get.server.port)

    visit(what)
