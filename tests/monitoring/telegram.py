"""A stand-in for Telegram's bot API (core.telegram.org/bots/api) on loopback: it takes messages, keeps them, and hands out what was said to the bot."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from tests.monitoring.programs import LOOPBACK

BOT = "orion_alerts_bot"


class Telegram(ThreadingHTTPServer):
    """What came in, in order: (token, chat, text). With `broken` it refuses, with `refuses` it says so with that status; messages with the words of `deaf_to` it refuses."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.got: list[tuple[str, str, str]] = []
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.broken = False
        self.deaf_to = ""
        self.refuses: tuple[int, str] | None = None
        self.updates: list[dict[str, Any]] = []
        self.last_update = 100
        self.said = threading.Condition()

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.got]

    def say(self, text: str, chat: str, about: str = "", minutes_ago: float = 0) -> None:
        """Somebody writes this in a chat, perhaps as an answer to a message."""
        sender = {"id": 7, "is_bot": False, "first_name": "Anna", "last_name": "Ada"}
        date = int(time.time() - 60 * minutes_ago)
        message = {"message_id": 5, "date": date, "chat": {"id": int(chat), "type": "group"}, "from": sender, "text": text}  # fmt: skip
        if about:
            message["reply_to_message"] = {"message_id": 4, "date": date, "text": about}
        with self.said:
            self.last_update += 1
            self.updates.append({"update_id": self.last_update, "message": message})
            self.said.notify_all()

    def waiting(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """getUpdates: an offset confirms all before it, unless it is far ahead; without anything new it waits."""
        with self.said:
            offset = asked.get("offset", 0)
            offset = 0 if offset > self.last_update + 10 else offset
            self.updates = [each for each in self.updates if each["update_id"] >= offset]
            self.said.wait_for(lambda: self.updates, asked["timeout"])
            return self.updates[:100]


class _Handler(BaseHTTPRequestHandler):
    server: Telegram

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        deaf = bool(self.server.deaf_to) and self.server.deaf_to in unquote_plus(body)
        if self.server.broken or deaf:
            self.send_error(502)
            return
        token, _, method = self.path.removeprefix("/bot").partition("/")
        if self.server.refuses is not None:
            status, why = self.server.refuses
            self._say(status, {"ok": False, "error_code": status, "description": why})
            return
        self._say(200, {"ok": True, "result": self._result(token, method, body)})

    def _result(self, token: str, method: str, body: str) -> object:
        if method == "sendMessage":
            self.server.got.append((token, *_message(self.headers["Content-Type"], body)))
            return {"message_id": 1, "date": 1, "chat": {"id": -1, "type": "group"}}
        asked = json.loads(body)
        self.server.called.append((method, asked))
        if method == "getUpdates":
            return self.server.waiting(asked)
        return {"id": 1, "is_bot": True, "username": BOT} if method == "getMe" else True

    def _say(self, status: int, said: object) -> None:
        answer = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        with contextlib.suppress(ConnectionError):  # who asked does not run any more
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
