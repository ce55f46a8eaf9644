"""`alerts`: a token that is a secret, and services that send the messages."""

from collections.abc import Iterator

from freehold.config.alerting import TELEGRAM_TOKEN
from freehold.config.checks.context import Context
from freehold.diagnostics import Diagnostic
from freehold.model.secrets import is_secret_name


def alerting(context: Context) -> Iterator[Diagnostic]:
    """The name of the secret, of which nothing is shown: it may be the token itself. Then who finds out, and who tells."""
    telegram = context.document.alerts.telegram
    if telegram is None:
        return
    if not is_secret_name(telegram.token):
        detail = "`token` holds something else than the name of a secret."
        hint = "Write `token: !secret telegram_token`, and give it its value by `freehold secret set telegram_token`. A token that others may have seen should be revoked."
        yield context.at(TELEGRAM_TOKEN, "invalid-secret-name", detail, hint)
    sends, measures = _who(context)
    if not sends:
        yield _missing(context, "sends the messages", "alertmanager")
    elif not measures:
        yield _missing(context, "finds out when one is due", "prometheus")


def _who(context: Context) -> tuple[bool, bool]:
    """Whether there is somebody who sends messages, and somebody who measures."""
    if context.placing is None:
        return False, False
    from freehold.model.descriptors import Reach  # for estates with services alone

    descriptors = [each for _, _, each in context.placing.known()]
    sends = any(need.given_by == TELEGRAM_TOKEN for each in descriptors for need in each.secrets)
    return sends, any(Reach.METRICS in each.reaches for each in descriptors)


def _missing(context: Context, what: str, kind: str) -> Diagnostic:
    detail = f"No service of infra.yml {what}."
    hint = f"Add to `services`: `{kind}: {{on: TARGET}}`."
    return context.at_key(("alerts", "telegram"), "nobody-tells", detail, hint)
