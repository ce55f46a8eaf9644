"""Who is told of alerts, and by what: what `config` makes of `alerts`. No I/O."""

from dataclasses import dataclass

TELEGRAM_API = "https://api.telegram.org"  # core.telegram.org/bots/api, "Making requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """A chat of Telegram's. `token` is the name of the secret that holds that of the bot, `api` the address of the bot API."""

    chat: str
    token: str
    api: str = TELEGRAM_API


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """All ways; None for one that infra.yml does not have."""

    telegram: Telegram | None = None
