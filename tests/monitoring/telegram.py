"""A stand-in for Telegram's bot API (core.telegram.org/bots/api#sendmessage) on loopback: it takes messages, and keeps them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.monitoring.programs import LOOPBACK


class Telegram(ThreadingHTTPServer):
    """What came in, in order: (token, chat, text). With `broken` it refuses."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.got: list[tuple[str, str, str]] = []
        self.broken = False

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.got]


class _Handler(BaseHTTPRequestHandler):
    server: Telegram

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.server.broken:
            self.send_error(502)
            return
        token = self.path.removeprefix("/bot").removesuffix("/sendMessage")
        self.server.got.append((token, *_message(self.headers["Content-Type"], body)))
        chat = {"id": -1, "type": "group"}
        said = {"ok": True, "result": {"message_id": 1, "date": 1, "chat": chat}}
        answer = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: Any) -> None:
        pass


def _message(kind: str, body: str) -> tuple[str, str]:
    if kind.startswith("application/json"):
        sent = json.loads(body)
        return str(sent["chat_id"]), sent["text"]
    form = parse_qs(body)
    return form["chat_id"][0], form["text"][0]


@contextmanager
def telegram() -> Iterator[Telegram]:
    """One while the block lasts."""
    server = Telegram()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
