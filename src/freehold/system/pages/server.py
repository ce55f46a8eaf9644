"""The server itself: one loop, one site, GET and HEAD. What a browser may do with a page is in its headers.

It writes no log: an address may hold the token. Called by `cli.ui`.
"""

import asyncio
import logging
import socket
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import quote

from aiohttp import web

from freehold.system.pages.guard import Guard
from freehold.system.pages.messages import Asked, Given, Refusal, Site

_TOKEN = "token"  # noqa: S105 - the name of the parameter
_ALL = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not used
_READING = ("GET", "HEAD")
HEADERS: Mapping[str, str] = {
    # Everything comes from this server, and nothing can be sent anywhere (CSP level 3).
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Server": "freehold",
}
_KEPT = "private, no-cache"  # of what has a tag: a browser asks each time whether it changed
_SILENT = logging.Logger("freehold.pages", logging.CRITICAL + 1)
_SILENT.addHandler(logging.NullHandler())


class _Spoken(web.RequestHandler):
    """One connection; what is no HTTP is answered without a word of what was sent."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        answer = super().handle_error(request, status, exc)
        answer.headers.update(HEADERS)
        return answer


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        loop = asyncio.get_running_loop()
        return _Spoken(self, loop=loop, access_log=_SILENT, logger=_SILENT)


class PageServer:
    """A site behind a token, from `async with` to its end. Port 0 means any that is free; `port` then says which."""

    def __init__(self, site: Site, token: str, address: str, port: int) -> None:
        """Takes the port. Raises OSError."""
        self._site = site
        self._at = address
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, port), family=family)
        self.port: int = self._socket.getsockname()[1]
        self.guard = Guard(token, self.port)
        self._runner = web.ServerRunner(_Server(self._answer), shutdown_timeout=1.0)

    def address(self, token: str) -> str:
        """What to open: the page with its token. Where it listens at all addresses, by this computer's name."""
        name = socket.gethostname() if self._at in _ALL else self._at
        host = f"[{name}]" if ":" in name else name
        return f"http://{host}:{self.port}/?{_TOKEN}={token}"

    async def __aenter__(self) -> "PageServer":
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
        self._socket.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = self._asked(request)
        try:
            given = await self._given(request, asked)
        except Exception as error:  # noqa: BLE001 - the reader sees a page whatever happens
            self._site.failed(error)
            given = self._site.refused(asked, Refusal.BROKEN)
        return self._response(request, given)

    async def _given(self, request: web.BaseRequest, asked: Asked) -> Given:
        if why := self._refusal(request, asked):
            return self._site.refused(asked, why)
        if _TOKEN in request.query:
            keeps = {self.guard.cookie: self.guard.session}
            return Given(status=303, leads_to=asked.path, keeps=keeps)
        found = await self._site.answer(asked)
        return found or self._site.refused(asked, Refusal.NOT_FOUND)

    def _refusal(self, request: web.BaseRequest, asked: Asked) -> Refusal | None:
        if request.method not in _READING:
            return Refusal.READ_ONLY
        if not self.guard.knows_host(request.headers.get("Host", "")):
            return Refusal.WRONG_HOST
        if _TOKEN in request.query:
            right = self.guard.is_token(request.query[_TOKEN])
            return None if right else Refusal.WRONG_KEY
        if asked.path in self._site.open:
            return None
        session = asked.cookies.get(self.guard.cookie, "")
        inside = asked.root == self.guard.root and self.guard.is_session(session)
        return None if inside else Refusal.STRANGER

    def _asked(self, request: web.BaseRequest) -> Asked:
        root = self.guard.root if request.path.startswith(self.guard.root) else "/"
        return Asked(
            path="/" + request.path.removeprefix(root),
            root=root,
            query={key: value for key, value in request.query.items() if key != _TOKEN},
            languages=request.headers.get("Accept-Language", ""),
            cookies=dict(request.cookies),
            from_elsewhere=request.headers.get("Sec-Fetch-Site") == "cross-site",
        )

    def _response(self, request: web.BaseRequest, given: Given) -> web.Response:
        tag = f'W/"{given.tag}"' if given.tag else ""
        headers = {**HEADERS, **({"ETag": tag, "Cache-Control": _KEPT} if tag else {})}
        if given.status == Refusal.READ_ONLY.status:
            headers["Allow"] = ", ".join(_READING)
        if given.leads_to:  # below our own root, so never to another server
            headers["Location"] = self.guard.root.rstrip("/") + quote(given.leads_to)
        if tag and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        response = web.Response(
            text=given.body,
            status=given.status,
            content_type=given.kind,
            charset="utf-8",
            headers=headers,
        )
        for name, value in given.keeps.items():
            path = self.guard.root if name == self.guard.cookie else "/"
            response.set_cookie(name, value, path=path, httponly=True, samesite="Strict")
        return response
