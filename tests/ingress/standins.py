"""What stands behind the door in these tests: pages that say what they were asked, and a login that decides as Authelia does.

Authelia itself is not to be had here. What it is asked and what it answers: https://www.authelia.com/reference/guides/proxy-authorization/
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

COOKIE = "maison_login=anna-is-in"
BARE_COOKIE = "maison_login=berta-is-in"
"""Of a user in no group: the login says only who it is."""
PORTAL = "https://auth.example.org/"


class Page(BaseHTTPRequestHandler):
    """Says which headers it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Any path."""
        sent = {"path": self.path, **{name.lower(): text for name, text in self.headers.items()}}
        self.answer(200, {"Content-Type": "application/json"}, json.dumps(sent))

    def answer(self, status: int, headers: dict[str, str], text: str = "") -> None:
        """One whole response."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        """Nothing on the terminal."""


class Login(Page):
    """Lets pass who has the cookie, sends others to the portal, and refuses what did not come over HTTPS."""

    def do_GET(self) -> None:
        """The question of a proxy, or the portal's own page."""
        if not self.path.startswith("/api/authz/forward-auth"):
            super().do_GET()
            return
        scheme, host = self.headers["X-Forwarded-Proto"], self.headers["X-Forwarded-Host"]
        wanted = f"{scheme}://{host}{self.headers['X-Forwarded-Uri']}"
        if scheme != "https" or self.headers["X-Forwarded-Method"] != "GET":
            self.answer(400, {})
        elif COOKIE in self.headers.get("Cookie", ""):
            names = {
                "User": "anna",
                "Groups": "admins",
                "Name": "Anna",
                "Email": "anna@example.org",
            }
            self.answer(200, {f"Remote-{name}": text for name, text in names.items()})
        elif BARE_COOKIE in self.headers.get("Cookie", ""):
            self.answer(200, {"Remote-User": "berta"})
        else:
            asked_from = self.headers["X-Forwarded-For"]
            found = {"Location": f"{PORTAL}?rd={quote(wanted, safe='')}", "Asked-From": asked_from}
            self.answer(302, found)


@contextmanager
def served(address: str, port: int, page: type[Page]) -> Iterator[None]:
    """One of them at an address, until the end of the block."""
    server = ThreadingHTTPServer((address, port), page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
