"""Telegram's Bot API (core.telegram.org/bots/api), as much as the alert bot needs: what was said in chats, and answers to it.

The token stands in every address, so no address and no error of the library gets into a log.
"""

import json
import logging
import time
from http.client import HTTPException  # noqa: TID251 - a program of its own, no part of Freehold
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen  # noqa: TID251

LOG = logging.getLogger("alert-bot")
PATIENCE = 15.0  # seconds for an answer, beyond those that Telegram was asked to wait
LONGEST_TEXT = 4000  # Telegram takes 4096
TRIES = 3  # of an answer
LONGEST_WAIT = 30.0  # seconds between two of them
CONFLICT = 409  # somebody else asks for this bot's updates, or a webhook takes them


class TelegramError(Exception):
    """Telegram did not do it. `status` is HTTP's, 0 without one; `wait` how many seconds it wants to be left alone."""

    def __init__(self, said: str, status: int = 0, wait: float = 0) -> None:
        super().__init__(said)
        self.status, self.wait = status, wait


class Telegram:
    """One bot in one chat."""

    def __init__(self, chat: str, api: str, token: Path) -> None:
        self.chat, self.api, self.token = chat, api.rstrip("/"), token
        self.sent = self.failed = 0

    def updates(self, offset: int, seconds: int) -> list[dict[str, Any]]:
        """What was said since, waited for. Asking from an offset on tells Telegram that all before it is done. Raises TelegramError."""
        kinds = ["message", "channel_post"]
        asked = {"timeout": seconds, "allowed_updates": kinds} | ({"offset": offset} if offset else {})  # fmt: skip
        found: list[dict[str, Any]] = self._call("getUpdates", asked, seconds + PATIENCE)
        return found

    def introduced(self, commands: dict[str, str]) -> str:
        """The bot's own name. The chat is told which commands there are, so that it suggests them. Raises TelegramError."""
        name = str(self._call("getMe", {})["username"])
        listed = [{"command": each, "description": text} for each, text in commands.items()]
        scope = {"type": "chat", "chat_id": int(self.chat)}
        try:
            self._call("setMyCommands", {"commands": listed, "scope": scope})
        except TelegramError as error:
            LOG.warning("the commands are not suggested in the chat: %s", error)
        return name

    def send(self, text: str, answers: int | None = None) -> bool:
        """Whether it came through, in some tries; as an answer to the message of that number."""
        message: dict[str, Any] = {"chat_id": int(self.chat), "text": _short(text)}
        if answers is not None:
            message["reply_parameters"] = {"message_id": answers, "allow_sending_without_reply": True}  # fmt: skip
        for tried in range(TRIES):
            try:
                self._call("sendMessage", message)
                self.sent += 1
                return True
            except TelegramError as error:
                self.failed += 1
                LOG.error("an answer did not come through: %s", error)
                if tried + 1 < TRIES:
                    time.sleep(min(LONGEST_WAIT, max(error.wait, 2.0**tried)))
        return False

    def _call(self, method: str, values: dict[str, Any], patience: float = PATIENCE) -> Any:
        try:
            token = self.token.read_text().strip()
            request = Request(f"{self.api}/bot{token}/{method}", json.dumps(values).encode(), {"Content-Type": "application/json"})  # fmt: skip  # noqa: S310 - the address is infra.yml's
            with urlopen(request, timeout=patience) as answer:  # noqa: S310
                return json.load(answer)["result"]
        except HTTPError as error:
            raise _refused(error) from None
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise TelegramError(f"Telegram was not reached: {type(error).__name__}") from None


def _refused(error: HTTPError) -> TelegramError:
    """What Telegram says to it: `description`, and `parameters.retry_after` of one that is asked too often."""
    try:
        told = json.loads(error.read())
        wait = float(told.get("parameters", {}).get("retry_after", 0))
        return TelegramError(f"{error.code} {told['description']}", error.code, wait)
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return TelegramError(f"{error.code} without a reason", error.code)


def _short(text: str) -> str:
    """Whole lines, as many as Telegram takes: it counts in UTF-16."""
    lines: list[str] = []
    left = LONGEST_TEXT
    for line in text.splitlines():
        left -= len(line.encode("utf-16-le")) // 2 + 1
        if left < 0:
            return "\n".join([*lines, "…"])
        lines.append(line)
    return "\n".join(lines)
