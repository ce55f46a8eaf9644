"""A dead man's switch: tells by Telegram when the beats of an Alertmanager stop, and once more when they are back.

The program of the catalog's service `dead-man`. It needs Python alone and runs by itself in its container:
Alertmanager posts its alert `Watchdog` to /beat every minute; /metrics and /health tell how it is.
"""

import json
import logging
import os
import threading
import time
from http import HTTPStatus
from http.client import HTTPException  # noqa: TID251 - a program of its own, no part of Freehold
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen  # noqa: TID251

LOG = logging.getLogger("dead-man")
LARGEST_BEAT = 1 << 20  # bytes
PATIENCE = 15.0  # seconds for an answer of Telegram's
LONGEST_LOOK = 60.0  # seconds from one look to the next, with a message on the way

OVER = "✅ over · dead man's switch\nAlertmanager is heard again"


class Switch:
    """When the last beat came, and what was told. Kept in a file, so that a restart neither forgets nor tells again.

    How long ago something was is counted by a clock that nobody sets: a computer without one of its own gets the time when it has a network.
    """

    def __init__(self, state: Path, silence: float) -> None:
        self.state, self.silence = state, silence
        self.lock = threading.Lock()
        self.looked = self.started = time.monotonic()
        self.heard_at: float | None = None  # by the same clock, while this program runs
        self.last_beat, self.told = self._kept()

    def beat(self) -> None:
        """One came."""
        with self.lock:
            self.heard_at, self.last_beat = time.monotonic(), time.time()
            self._keep()

    def silent(self) -> bool:
        """Whether none came for too long. What was missed while this program did not run itself does not count."""
        return self._quiet() > self.silence

    def heard(self) -> bool:
        """Whether one came lately."""
        return self.heard_at is not None and not self.silent()

    def seconds(self) -> float:
        """How long there was none; before this program was started, by the time of day."""
        if self.heard_at is not None or not self.last_beat:
            return self._quiet()
        return max(time.time() - self.last_beat, self._quiet())

    def tell(self, told: bool) -> None:
        """Somebody knows."""
        with self.lock:
            self.told = told
            self._keep()

    def _quiet(self) -> float:
        return time.monotonic() - (self.heard_at if self.heard_at is not None else self.started)

    def _kept(self) -> tuple[float, bool]:
        """When the last beat came (0: none ever did), and whether it was told that none comes."""
        try:
            kept = json.loads(self.state.read_text())
            return float(kept["last_beat"]), bool(kept["told"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            LOG.error("the state cannot be read, and begins anew: %s", type(error).__name__)
        return 0.0, False

    def _keep(self) -> None:
        """Whole or not at all, also when the power fails."""
        new = self.state.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump({"last_beat": self.last_beat, "told": self.told}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.state)


class Telegram:
    """The chat that is told. Without one, nobody is."""

    def __init__(self, chat: str, api: str, token: Path | None) -> None:
        self.chat, self.api, self.token = chat, api.rstrip("/"), token
        self.sent = self.failed = 0

    def send(self, text: str) -> bool:
        """Whether it came through; the token is in no message and no log."""
        LOG.warning("%s", text)
        if not self.chat or self.token is None:
            return True
        try:
            address = f"{self.api}/bot{self.token.read_text().strip()}/sendMessage"
            request = Request(address, urlencode({"chat_id": self.chat, "text": text}).encode())  # noqa: S310 - the address is infra.yml's
            with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                answer.read()
        except (OSError, HTTPException, ValueError) as error:
            self.failed += 1
            LOG.error("Telegram was not reached: %s", type(error).__name__)
            return False
        self.sent += 1
        return True


def watch(switch: Switch, telegram: Telegram, estate: str, every: float) -> None:
    """Look for ever. What could not be sent or written down is tried again at the next look."""
    while True:
        try:
            look(switch, telegram, estate)
        except OSError as error:
            LOG.error("the state cannot be written down: %s", error)
        switch.looked = time.monotonic()
        time.sleep(every)


def look(switch: Switch, telegram: Telegram, estate: str) -> None:
    """Tell of what is new. Raises OSError where it cannot be written down that it was told."""
    if switch.silent() and not switch.told:
        minutes = max(1, round(switch.seconds() / 60))
        text = f"🔴 critical · dead man's switch\nAlertmanager has not been heard for {minutes} min: nobody would be told of anything else\n{estate}"
        if telegram.send(text):
            switch.tell(True)
    elif switch.told and switch.heard() and telegram.send(f"{OVER}\n{estate}"):
        switch.tell(False)


def is_beat(body: bytes) -> bool:
    """Whether this is Alertmanager's webhook with a `Watchdog` that fires."""
    try:
        alerts = json.loads(body)["alerts"]
        return any(
            each["status"] == "firing" and each["labels"]["alertname"] == "Watchdog"
            for each in alerts
        )
    except (ValueError, KeyError, TypeError):
        return False


class Handler(BaseHTTPRequestHandler):
    """What it answers."""

    switch: Switch
    telegram: Telegram

    def do_POST(self) -> None:
        """Take a beat."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/beat" or length > LARGEST_BEAT:
            return self._answer(HTTPStatus.NOT_FOUND, "")
        if not is_beat(self.rfile.read(length)):
            return self._answer(HTTPStatus.BAD_REQUEST, "no Watchdog that fires\n")
        self.switch.beat()
        return self._answer(HTTPStatus.OK, "")

    def do_GET(self) -> None:
        """Tell how it is."""
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, self._metrics())
        elif self.path != "/health":
            self._answer(HTTPStatus.NOT_FOUND, "")
        elif time.monotonic() - self.switch.looked < LONGEST_LOOK:
            self._answer(HTTPStatus.OK, "ok\n")
        else:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "it does not look any more\n")

    def _metrics(self) -> str:
        values = {
            ("dead_man_last_beat_timestamp_seconds", "gauge"): self.switch.last_beat,
            ("dead_man_silent", "gauge"): int(self.switch.silent()),
            ("dead_man_messages_sent_total", "counter"): self.telegram.sent,
            ("dead_man_messages_failed_total", "counter"): self.telegram.failed,
        }
        lines = (f"# TYPE {name} {kind}\n{name} {value}\n" for (name, kind), value in values.items())  # fmt: skip
        return "".join(lines)

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Of requests nothing: there is one a minute."""


def main() -> None:
    """Read the environment, watch, and answer until it is ended."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    known = os.environ
    token = known.get("DEAD_MAN_TOKEN_FILE", "")
    telegram = Telegram(
        known.get("DEAD_MAN_CHAT", ""), known["DEAD_MAN_API"], Path(token) if token else None
    )
    silence = float(known["DEAD_MAN_SILENCE_SECONDS"])
    switch = Switch(Path(known["DEAD_MAN_STATE"]), silence)
    Handler.switch, Handler.telegram = switch, telegram
    every = min(10.0, silence / 4)
    watching = (switch, telegram, known["DEAD_MAN_ESTATE"], every)
    threading.Thread(target=watch, args=watching, daemon=True).start()
    port = int(known["DEAD_MAN_PORT"])
    ThreadingHTTPServer((known.get("DEAD_MAN_ADDRESS", ""), port), Handler).serve_forever()


if __name__ == "__main__":
    main()
