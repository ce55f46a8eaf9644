"""The parts of the way that lie before and beside a test alert: Prometheus hands its alerts over, and the dead man's switch is heard. For `way`.

Both are seen by what comes anew after the test has begun. No clock is compared with another: what counts is that a time has changed.
Facts: Prometheus hands over an alert that goes on once a minute (its flag `--rules.alert.resend-delay`), and takes some seconds after its
start until it has discovered an Alertmanager; `updatedAt` is when Alertmanager last heard of an alert (its API, version 2).
"""

import re
from typing import Any
from urllib.parse import quote

from freehold.diagnostics import BackendError
from freehold.operations.alert_test import problems
from freehold.operations.alert_test.services import Services
from freehold.operations.service_api import ServiceApi

_DISCOVERY = 15.0  # seconds
_WATCHDOG = quote('alertname="Watchdog"')
_BEAT = re.compile(r"^dead_man_last_beat_timestamp_seconds ([0-9.e+]+)$", re.M)


async def alerts_handed_over(services: Services, alertmanager: ServiceApi) -> str | None:
    """That Prometheus evaluates all rules, and its alert `Watchdog` comes. None without a Prometheus. Raises BackendError."""
    service = services.first("prometheus")
    if service is None:
        return None
    prometheus, heard = services.api(service), await _heard(alertmanager)
    if await services.until(lambda: _known(prometheus), _DISCOVERY) is None:
        raise BackendError(problems.knows_none(service))
    rules = await services.until(lambda: _evaluated(prometheus)) or await _rules(prometheus)
    broken = [str(rule["name"]) for rule in rules if rule["health"] != "ok"]
    if broken or not rules:
        raise BackendError(problems.rules_broken(service, broken))
    if await services.until(lambda: _heard_anew(alertmanager, heard)) is None:
        raise BackendError(problems.not_handed_over(service, services.patience))
    return f"{len(rules)} rules are evaluated, and its alert `Watchdog` came"


async def beat_heard(services: Services) -> str | None:
    """That the next beat comes. None without a dead man's switch. Raises BackendError."""
    service = services.first("dead-man")
    if service is None:
        return None
    api = services.api(service)
    last = await _beat(api)
    if await services.until(lambda: _next_beat(api, last)) is None:
        raise BackendError(problems.not_heard(service, services.patience))
    return f"{service.name} on {service.target} heard the next one"


async def _known(prometheus: ServiceApi) -> Any:
    found = (await prometheus.json("/api/v1/alertmanagers"))["data"]["activeAlertmanagers"]
    return found or None


async def _rules(prometheus: ServiceApi) -> list[Any]:
    groups = (await prometheus.json("/api/v1/rules?type=alert"))["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


async def _evaluated(prometheus: ServiceApi) -> list[Any] | None:
    """The rules, once each has been looked at: before, nobody knows of one whether it can be."""
    rules = await _rules(prometheus)
    return rules if all(rule["health"] != "unknown" for rule in rules) else None


async def _heard(alertmanager: ServiceApi) -> dict[str, str]:
    listed = await alertmanager.json(f"/api/v2/alerts?filter={_WATCHDOG}")
    return {str(each["fingerprint"]): str(each["updatedAt"]) for each in listed}


async def _heard_anew(alertmanager: ServiceApi, before: dict[str, str]) -> bool | None:
    now = await _heard(alertmanager)
    return any(before.get(name) != at for name, at in now.items()) or None


async def _beat(dead_man: ServiceApi) -> float:
    """When the last one came; 0 when none ever did."""
    found = _BEAT.search(await dead_man.text("/metrics"))
    return float(found[1]) if found else 0.0


async def _next_beat(dead_man: ServiceApi, last: float) -> bool | None:
    now = await _beat(dead_man)
    return now not in (0.0, last) or None
