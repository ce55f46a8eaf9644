"""`alerts` as it is written: who is told. A part of `document`; `build` calls `alerting_of`."""

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from freehold.config.formats import Word, refuse
from freehold.config.host_formats import HttpAddress
from freehold.config.part import Part

if TYPE_CHECKING:
    from freehold.model.alerting import Alerting

TELEGRAM_TOKEN = ("alerts", "telegram", "token")
"""Where the secret is named; descriptors say `from: alerts.telegram.token`."""

# At most 52 bits (core.telegram.org/bots/api, type Chat); Telegram takes @NAME of a channel too, Alertmanager's `chat_id` numbers alone.
_CHAT = re.compile(r"-?[1-9][0-9]{0,15}")
_CHANNEL = re.compile(r"@[A-Za-z0-9_]+")
_HINT = "Write to your bot in that chat; `https://api.telegram.org/bot…/getUpdates` then shows the number, `id` of `chat`."


def _chat(value: Any) -> str:
    """Nothing of a wrong one is shown: it may be the token."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        refuse("wrong-type", "the number of a chat, such as `-1001234567890`")
    text = str(value)
    if _CHANNEL.fullmatch(text):
        detail = "Alertmanager knows a channel by its number alone."
        hint = f"`https://api.telegram.org/bot…/getChat?chat_id={text}` shows it, `id`."
        refuse("invalid-value", detail, hint)
    if not _CHAT.fullmatch(text):
        refuse("invalid-value", "The text is not the number of a chat.", _HINT)
    return text


Chat = Annotated[
    str,
    PlainValidator(_chat),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_CHAT.pattern}$"}]}
    ),
]


class TelegramPart(Part):
    """A chat of Telegram's."""

    chat: Chat = Field(
        description="Its number; of a group or channel it begins with `-`.",
        examples=["-1001234567890"],
    )
    token: Word = Field(
        description="The secret that holds the bot's token. Freehold cannot generate it.",
        examples=["telegram_token"],
    )
    api: HttpAddress | None = Field(
        None,
        description="Where the bot API is. Default: Telegram's own.",
        examples=["https://api.telegram.org"],
    )


class AlertsPart(Part):
    """Who is told of alerts."""

    telegram: TelegramPart | None = Field(None, description="By a bot of Telegram's.")


def alerting_of(part: AlertsPart) -> "Alerting | None":
    """The model of it; None when nobody is told."""
    if part.telegram is None:
        return None
    from freehold.model.alerting import TELEGRAM_API, Alerting, Telegram

    told = part.telegram
    return Alerting(
        telegram=Telegram(chat=told.chat, token=told.token, api=told.api or TELEGRAM_API)
    )
