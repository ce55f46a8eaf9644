"""What would go wrong in silence: alerts that reach nobody, and what nobody watches. Warnings, of all services at once."""

import re
from collections.abc import Iterator

from freehold.config.alerting import TELEGRAM_TOKEN
from freehold.config.checks.context import Context
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic
from freehold.model.descriptors import Descriptor, Reach, looked_at

COMPUTER, CONTAINERS, PROBER, WATCHMAN = (
    "node-exporter",
    "cadvisor",
    "blackbox-exporter",
    "dead-man",
)
"""The entries of the catalog without which something stays unseen."""

_OF_CONTAINERS = re.compile(r"\bcontainer_[a-z_]+")  # what only cAdvisor measures


def told(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Who finds out needs somebody who sends a message, and that one somebody who reads it."""
    senders = [name for name, _, each in placing.known() if _sends(each)]
    measuring = [name for name, _, each in placing.known() if Reach.METRICS in each.reaches]
    if senders and not context.tree.has(("alerts", "telegram")):
        words = ", ".join(f"`{name}`" for name in senders)
        detail = f"{words} would send messages; to whom, infra.yml does not say."
        yield context.at_key(("services", senders[0]), "nobody-told", detail)
    elif measuring and not senders:
        detail = f"`{measuring[0]}` finds out what is wrong, and hands it to nobody."
        hint = f"Add to `services`: `alertmanager: {{on: {placing.parts[measuring[0]].on}}}`; and say in `alerts` who is told."
        yield context.at_key(("services", measuring[0]), "nobody-told", detail, hint)


def watched(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """For whoever wants to be told: the computers, the services, and what tells him."""
    if context.document.alerts.telegram is None:
        return
    if not any(Reach.METRICS in each.reaches for _, _, each in placing.known()):
        return
    yield from _computers(context, placing)
    yield from _services(context, placing)
    yield from _tunnels(context, placing)
    elsewhere = len({part.on for _, part, _ in placing.known()}) > 1
    if elsewhere and not placing.of_kind(WATCHMAN):
        detail = "Nobody finds out when alerts themselves no longer come."
        hint = (
            f"Add to `services`, on another target than Alertmanager: `{WATCHMAN}: {{on: TARGET}}`."
        )
        yield context.at_key(("alerts", "telegram"), "not-watched", detail, hint)


def _computers(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """That one does not answer, or that its disk is full, is known by what runs on it."""
    seen = {placing.parts[name].on for name in placing.of_kind(COMPUTER)}
    missing = list(dict.fromkeys(part.on for _, part, _ in placing.known() if part.on not in seen))
    if missing:
        words = ", ".join(f"`{target}`" for target in missing)
        detail = f"Nothing measures {words}: nobody is told when it is down, or its disk full."
        hint = f"Add to `services`: `node-{missing[0].replace('/', '-')}: {{on: {missing[0]}, service: {COMPUTER}}}`."
        yield context.at_key(("alerts", "telegram"), "not-watched", detail, hint)


def _services(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """What measures nothing itself is looked at from outside, by its port."""
    if any(Reach.PROBED in each.reaches for _, _, each in placing.known()):
        return
    exposed = placing.links.exposed
    unseen = [name for name, _, each in placing.known() if looked_at(each, is_exposed=name in exposed)]  # fmt: skip
    if unseen:
        words = ", ".join(f"`{name}`" for name in unseen)
        detail = f"Nobody looks whether {words} {'answers' if len(unseen) == 1 else 'answer'}."
        hint = (
            f"Add to `services`: `looks: {{on: {placing.parts[unseen[0]].on}, service: {PROBER}}}`."
        )
        yield context.at_key(("services", unseen[0]), "not-watched", detail, hint)


def _tunnels(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """An alert that asks for what cAdvisor measures can never come without it."""
    seen = {placing.parts[name].on for name in placing.of_kind(CONTAINERS)}
    for name, part, each in placing.known():
        blind = [alert.name for alert in each.alerts if _OF_CONTAINERS.search(alert.expression)]
        if blind and part.on not in seen:
            words = ", ".join(f"`{alert}`" for alert in blind)
            detail = f"The alert {words} of `{name}` can never come: no `{CONTAINERS}` measures the containers of `{part.on}`."
            hint = f"Add to `services`: `containers-{part.on.replace('/', '-')}: {{on: {part.on}, service: {CONTAINERS}}}`."
            yield context.at_key(("services", name), "not-watched", detail, hint)


def _sends(descriptor: Descriptor) -> bool:
    return any(secret.given_by == TELEGRAM_TOKEN for secret in descriptor.secrets)
