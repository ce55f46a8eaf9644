"""The alert bot: incidents are acknowledged and silenced from the Telegram chat that is told of them.

The program of the catalog's service `alert-bot`. It needs Python alone and runs by itself in its container: it asks Telegram what
was said, has Alertmanager do it, and answers; /metrics and /health tell how it is. Who is in the chat may do all of this, and nobody else.
"""

import logging
import os
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .alertmanager import (  # noqa: TID252 - a program of its own, no part of Freehold
    Alertmanager,
    AlertmanagerError,
    Place,
)
from .commands import COMMANDS, Command, Commands, WrongCommandError, command_of  # noqa: TID252
from .silenced import look  # noqa: TID252
from .state import State  # noqa: TID252
from .telegram import CONFLICT, Telegram, TelegramError  # noqa: TID252

LOG = logging.getLogger("alert-bot")
TOO_LATE = 300.0  # seconds after which nobody counts on a command any more
LONGEST_TURN = 300.0  # seconds: asking, doing, and answers that are tried again
LONGEST_WAIT = 60.0  # seconds from one try to the next


class Bot:
    """Asks, does and answers, for ever."""

    def __init__(self, telegram: Telegram, alertmanager: Alertmanager, commands: Commands, state: State) -> None:  # fmt: skip
        self.telegram, self.alertmanager, self.commands, self.state = telegram, alertmanager, commands, state  # fmt: skip
        self.name: str | None = None
        self.turned = self.heard = time.time()
        self.done = self.strangers = self.conflicts = self.refused = 0

    def run(self, seconds: int, settled: float) -> None:
        """Never ends. After a failure it waits, each time longer."""
        wait = 0.0
        while True:
            self.turned = time.time()
            try:
                self._turn(seconds)
                wait = 0.0
            except TelegramError as error:
                self.conflicts += error.status == CONFLICT
                wait = min(LONGEST_WAIT, max(error.wait, 2 * wait, 1.0))
                LOG.error("nothing is heard of the chat: %s", error)
            except OSError as error:
                wait = min(LONGEST_WAIT, max(2 * wait, 1.0))
                LOG.error("the state cannot be written down: %s", error)
            self._look(settled)
            time.sleep(wait)

    def stuck(self) -> bool:
        """Whether it does not ask any more. Without a chat there is nobody to ask for."""
        return bool(self.telegram.chat) and time.time() - self.turned > LONGEST_TURN

    def _turn(self, seconds: int) -> None:
        """One question to Telegram, and what follows. A message is done, written down, then answered."""
        self.name = self.name or self.telegram.introduced(COMMANDS)
        updates = self.telegram.updates(self.state.done + 1 if self.state.done else 0, seconds)
        self.heard = time.time()
        for update in updates:
            message = update.get("message") or update.get("channel_post") or {}
            answer = self._understood(message)
            self.state.done = int(
                update["update_id"]
            )  # after a quiet week they begin anew, perhaps lower
            self.state.keep()
            if answer:
                self.telegram.send(answer, message.get("message_id"))

    def _understood(self, message: dict[str, Any]) -> str | None:
        """The answer. A message that nobody foresaw must not come again for ever."""
        try:
            return self._answer(message)
        except Exception as error:
            LOG.exception("a message was not understood")
            return f"⚠️ Not done: {type(error).__name__}"

    def _answer(self, message: dict[str, Any]) -> str | None:
        chat = str(message.get("chat", {}).get("id", ""))
        if chat != self.telegram.chat:
            self.strangers += bool(chat)
            LOG.warning("ignored: a message from another chat, %s", chat)
            return None
        about = (message.get("reply_to_message") or {}).get("text", "")
        command = command_of(message.get("text", ""), self.name or "", _person(message), about)
        if command is None:
            return None
        late = time.time() - float(message["date"])
        if late > TOO_LATE:
            return f"⏳ Not done: this was said {round(late / 60)} min ago, and heard only now. Say it again if it still matters."
        return self._do(command)

    def _do(self, command: Command) -> str:
        LOG.info("%r says /%s %r", command.by, command.name, command.words)
        try:
            answer = self.commands.do(command)
        except WrongCommandError as wrong:
            return str(wrong)
        except AlertmanagerError as error:
            self.refused += 1
            LOG.error("not done: %s", error)
            return f"⚠️ Not done, Alertmanager does not do it: {error}"
        self.done += 1
        return answer

    def _look(self, settled: float) -> None:
        try:
            for text in look(self.alertmanager, self.state, settled):
                self.telegram.send(text)
            self.state.keep()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next look may be better
            self.refused += isinstance(error, AlertmanagerError)
            LOG.error("what is silenced cannot be looked after: %r", error)


def _person(message: dict[str, Any]) -> str:
    """Who says so; of a channel nobody but the channel is known."""
    sender = message.get("from") or {}
    name = " ".join(filter(None, [sender.get("first_name"), sender.get("last_name")]))
    return (name or sender.get("username") or message["chat"].get("title") or "somebody")[:60]


class Handler(BaseHTTPRequestHandler):
    """What it answers to the estate."""

    bot: Bot

    def do_GET(self) -> None:
        """Tell how it is."""
        if self.path == "/metrics":
            self._say(HTTPStatus.OK, self._metrics())
        elif self.path != "/health":
            self._say(HTTPStatus.NOT_FOUND, "")
        elif self.bot.stuck():
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, "it does not ask any more\n")
        else:
            self._say(HTTPStatus.OK, "ok\n")

    def _metrics(self) -> str:
        bot = self.bot
        values = {
            ("alert_bot_last_heard_timestamp_seconds", "gauge"): bot.heard
            if bot.telegram.chat
            else time.time(),
            ("alert_bot_commands_total", "counter"): bot.done,
            ("alert_bot_strangers_total", "counter"): bot.strangers,
            ("alert_bot_conflicts_total", "counter"): bot.conflicts,
            ("alert_bot_alertmanager_failures_total", "counter"): bot.refused,
            ("alert_bot_messages_sent_total", "counter"): bot.telegram.sent,
            ("alert_bot_messages_failed_total", "counter"): bot.telegram.failed,
        }
        return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for (name, kind), value in values.items())  # fmt: skip

    def _say(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Of requests nothing: there are several a minute."""


def places(text: str) -> list[Place]:
    """Computers and what runs there, `synapse=db,cache cortex=`."""
    found = []
    for each in text.split():
        target, _, services = each.partition("=")
        found += [Place("", target), *(Place(name, target) for name in services.split(",") if name)]
    return found


def main() -> None:
    """Read the environment, ask, and answer until it is ended. Without a chat it only says how it is."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    known = os.environ
    alertmanager = Alertmanager(known["ALERT_BOT_ALERTMANAGER"])
    telegram = Telegram(known["ALERT_BOT_CHAT"], known["ALERT_BOT_API"], Path(known["ALERT_BOT_TOKEN_FILE"]))  # fmt: skip
    seconds = float(known["ALERT_BOT_SILENCE_HOURS"]) * 3600
    commands = Commands(alertmanager, places(known["ALERT_BOT_PLACES"]), seconds)
    bot = Handler.bot = Bot(telegram, alertmanager, commands, State(Path(known["ALERT_BOT_STATE"])))
    asking = (int(known.get("ALERT_BOT_POLL_SECONDS", "25")), float(known.get("ALERT_BOT_SETTLED_SECONDS", "180")))  # fmt: skip
    if telegram.chat:
        threading.Thread(target=bot.run, args=asking, daemon=True).start()
    else:
        LOG.warning("infra.yml names no chat: there is nobody to hear")
    port = int(known["ALERT_BOT_PORT"])
    ThreadingHTTPServer((known.get("ALERT_BOT_ADDRESS", ""), port), Handler).serve_forever()


if __name__ == "__main__":
    main()
