"""`alerts` as it is written: who is told. A part of `document`; `build` calls `alerting_of`."""

from typing import TYPE_CHECKING

from pydantic import Field

from freehold.config.formats import Word
from freehold.config.host_formats import HttpAddress
from freehold.config.part import Part

if TYPE_CHECKING:
    from freehold.model.alerting import Alerting

TELEGRAM_TOKEN = ("alerts", "telegram", "token")
"""Where the secret is named; descriptors say `from: alerts.telegram.token`."""


class TelegramPart(Part):
    """A chat of Telegram's."""

    chat: Word = Field(
        description="Its number; of a group it begins with `-`.", examples=["-1001234567890"]
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
