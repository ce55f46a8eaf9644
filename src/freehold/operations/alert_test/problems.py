"""What can be wrong on the way of an alert, and what to do about it. For `way`."""

from typing import Any

from freehold.diagnostics import Diagnostic
from freehold.model.services import Service


def knows_none(prometheus: Service) -> Diagnostic:
    """No Alertmanager is reached."""
    return Diagnostic(
        code="alerts-sent-nowhere",
        summary="Prometheus sends its alerts nowhere",
        detail=f"`{prometheus.name}` on {prometheus.target} reaches no Alertmanager.",
        hint=f"See what differs:\n    freehold plan --limit {prometheus.target}",
    )


def not_handed_over(prometheus: Service, patience: float) -> Diagnostic:
    """An Alertmanager is configured, and nothing came to it within `patience` seconds."""
    return Diagnostic(
        code="alerts-not-arriving",
        summary="Prometheus's alerts do not arrive",
        detail=f"The alert `Watchdog` of `{prometheus.name}` on {prometheus.target} did not come to Alertmanager within {patience:.0f} seconds; "
        "it should come once a minute.",
        hint=f"`docker logs` of {prometheus.name} on {prometheus.target} says why. Where rules are looked at less often, give it longer:\n"
        "    freehold alerts test --timeout 600",
    )


def rules_broken(prometheus: Service, broken: list[str]) -> Diagnostic:
    """`broken` are names of rules that are not evaluated; without any, there are no rules at all."""
    names = ", ".join(broken[:5])
    found = f"does not evaluate {len(broken)} of its rules: {names}" if broken else "has no rules"
    return Diagnostic(
        code="alert-rules-broken",
        summary="Alerts that cannot come",
        detail=f"`{prometheus.name}` on {prometheus.target} {found}.",
        hint=f"Its page /rules says why; what differs from infra.yml:\n    freehold plan --limit {prometheus.target}",
    )


def not_taken(alertmanager: Service) -> Diagnostic:
    """It answers, and does not have the alert."""
    return Diagnostic(
        code="test-alert-not-taken",
        summary="Alertmanager does not have the alert",
        detail=f"`{alertmanager.name}` on {alertmanager.target} answered, and does not list the alert that was sent.",
        hint=f"Look at its log on {alertmanager.target}: docker logs",
    )


def held_back(alertmanager: Service, status: Any) -> Diagnostic:
    """A silence or another alert keeps it from being told; `status` is what the API says."""
    why = "a silence" if status["silencedBy"] else "another alert of the same service or target"
    return Diagnostic(
        code="test-alert-held-back",
        summary="The alert is held back",
        detail=f"`{alertmanager.name}` on {alertmanager.target} tells nobody: {why} holds it back.",
        hint="Wait until it is over, or end the silence, and test again.",
    )


def not_sent(alertmanager: Service, patience: float) -> Diagnostic:
    """Nothing went out within `patience` seconds."""
    return Diagnostic(
        code="test-alert-not-sent",
        summary="No message was sent",
        detail=f"`{alertmanager.name}` on {alertmanager.target} has sent nothing to Telegram within {patience:.0f} seconds.",
        hint="It may take longer on a busy computer: freehold alerts test --timeout 600",
    )


def refused(alertmanager: Service) -> Diagnostic:
    """It was sent and not taken."""
    return Diagnostic(
        code="test-alert-refused",
        summary="Telegram did not take the message",
        detail=f"`{alertmanager.name}` on {alertmanager.target} tried to send it and failed. Often the token or the chat is wrong, or the bot "
        "was never written to from that chat.",
        hint=f"`docker logs` on {alertmanager.target} says what Telegram answered. Then:\n    freehold secret set TOKEN\n    freehold apply",
    )


def not_heard(dead_man: Service, patience: float) -> Diagnostic:
    """No beat came within `patience` seconds."""
    return Diagnostic(
        code="beat-not-heard",
        summary="The dead man's switch hears nothing",
        detail=f"No beat of Alertmanager's came to `{dead_man.name}` on {dead_man.target} within {patience:.0f} seconds; one should come each minute.",
        hint="Is Prometheus there, whose alert `Watchdog` it is? See what differs:\n    freehold plan",
    )


NO_ALERTMANAGER = Diagnostic(
    code="no-alertmanager",
    summary="Nobody tells of alerts",
    detail="No service of infra.yml is an Alertmanager.",
    hint="Add it to `services`, `alertmanager: {on: TARGET}`, and then:\n    freehold apply",
)
NOBODY_TOLD = Diagnostic(
    code="nobody-told",
    summary="There is nobody to tell",
    detail="infra.yml does not say who is told of alerts.",
    hint='Add `alerts: {telegram: {chat: "…", token: !secret telegram_token}}`, and then:\n    freehold apply',
)
