"""`freehold alerts test`: an alert that is none is sent, and followed to whoever is told. Called by `cli.alerts`.

It goes the way of all alerts from Alertmanager on: the same receiver, token and chat. That Prometheus evaluates rules and sends its
alerts there, and that the dead man's switch hears the beat, is asked beside it. Facts about Alertmanager: its API (version 2,
prometheus.io/docs/alerting/latest/clients) and its metrics of requests to each integration.
"""

import asyncio
import re
import secrets as random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.model.services import Service
from freehold.operations.alert_test import problems
from freehold.operations.alert_test.steps import AlertTest, Outcome, Step
from freehold.operations.service_api import ServiceApi
from freehold.system.targets.api import Targets

TEST_ALERT = "FreeholdTest"
"""Its name; `catalog/alertmanager.yml` has a route for it that does not wait for others."""

_EVERY = 1.0  # seconds between two looks
_COUNTERS = (
    "alertmanager_notification_requests_total",
    "alertmanager_notification_requests_failed_total",
    "alertmanager_notifications_failed_total",
)
_COUNTED = re.compile(r"^(alertmanager_notification\w+_total)\{([^}]*)\} ([0-9.e+]+)$", re.M)
_BEAT = re.compile(r"^dead_man_last_beat_timestamp_seconds ([0-9.e+]+)$", re.M)


Told = Callable[[Step], None]
Seen = TypeVar("Seen")


async def send_test_alert(infra: Infra, targets: Targets, patience: float, told: Told) -> AlertTest:
    """Send one and follow it, at most `patience` seconds for each part.

    Raises BackendError where there is no Alertmanager or nobody to tell, and where Alertmanager does not answer.
    """
    way = _Way(infra, targets, patience, told)
    await way.go()
    return way.test


@dataclass(frozen=True, slots=True)
class _Sent:
    """What Alertmanager has asked of Telegram since it was started: requests, those of them that failed, and what it gave up."""

    requests: float
    failed: float
    given_up: float

    @property
    def taken(self) -> float:
        return self.requests - self.failed


class _Way:
    """One test on its way."""

    def __init__(self, infra: Infra, targets: Targets, patience: float, told: Told) -> None:
        self.infra = infra
        self.targets = targets
        self.patience = patience
        self.told = told
        self.test = AlertTest()
        self.mark = random.token_hex(4)
        self.alertmanager = self._service("alertmanager")

    async def go(self) -> None:
        """All parts; what lies behind one that failed is not looked at."""
        if self.alertmanager is None:
            raise BackendError(problems.NO_ALERTMANAGER)
        if self.infra.alerting is None or self.infra.alerting.telegram is None:
            raise BackendError(problems.NOBODY_TOLD)
        await self._part("Prometheus sends its alerts to Alertmanager", self._prometheus)
        await self._part("the dead man's switch hears the beat", self._beat)
        api = self._api(self.alertmanager)
        before = await self._sent(api)
        try:
            if not await self._part("Alertmanager takes an alert", lambda: self._fire(api)):
                return
            if not await self._part(
                "Telegram takes the message", lambda: self._message(api, before)
            ):
                return
            between = await self._sent(api)
        finally:
            await api.post("/api/v2/alerts", [self._alert(over=True)])
        await self._part(
            "Telegram takes the message that it is over", lambda: self._message(api, between)
        )

    async def _part(self, what: str, look: Callable[[], Awaitable[str | None]]) -> bool:
        """One part; `look` answers what is to be said, None where there is nothing to look at. Whether it was seen."""
        started = time.monotonic()
        try:
            detail = await look()
        except BackendError as error:
            self.test.problem = self.test.problem or error.diagnostics[0]
            step = Step(what, Outcome.FAILED, time.monotonic() - started, error.diagnostics[0].detail)  # fmt: skip
        else:
            seconds = time.monotonic() - started
            outcome = Outcome.NOT_MEASURED if detail is None else Outcome.SEEN
            step = Step(what, outcome, seconds, detail or "infra.yml has no service for it")
        self.test.steps.append(step)
        self.told(step)
        return step.outcome is Outcome.SEEN

    async def _prometheus(self) -> str | None:
        service = self._service("prometheus")
        if service is None:
            return None
        api = self._api(service)
        known = (await api.json("/api/v1/alertmanagers"))["data"]["activeAlertmanagers"]
        if not known:
            raise BackendError(problems.knows_none(service))
        groups = (await api.json("/api/v1/rules?type=alert"))["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        broken = [str(rule["name"]) for rule in rules if rule.get("health") == "err"]
        if broken or not rules:
            raise BackendError(problems.rules_broken(service, broken))
        return f"{len(rules)} rules are evaluated"

    async def _fire(self, api: ServiceApi) -> str:
        await api.post("/api/v2/alerts", [self._alert(over=False)])
        found = await self._until(lambda: self._known(api))
        if found is None:
            raise BackendError(problems.not_taken(api.service))
        status = found["status"]
        if status["state"] != "active":
            raise BackendError(problems.held_back(api.service, status))
        return f"for {', '.join(each['name'] for each in found['receivers'])}"

    async def _known(self, api: ServiceApi) -> Any:
        """The alert as Alertmanager has it; None until it has worked on it."""
        given = quote(f'test="{self.mark}"')
        listed = await api.json(f"/api/v2/alerts?filter={given}")
        return next((each for each in listed if each["status"]["state"] != "unprocessed"), None)

    async def _message(self, api: ServiceApi, before: _Sent) -> str:
        """It tries again by itself what fails: only what it gave up has failed."""
        await self._until(lambda: self._settled(api, before))
        sent = await self._sent(api)  # of a request that is just being counted, again
        if sent.taken > before.taken:
            return "its API answered that it has it"
        if sent.failed > before.failed:
            raise BackendError(problems.refused(api.service))
        raise BackendError(problems.not_sent(api.service, self.patience))

    async def _settled(self, api: ServiceApi, before: _Sent) -> bool | None:
        sent = await self._sent(api)
        return sent.taken > before.taken or sent.given_up > before.given_up or None

    async def _sent(self, api: ServiceApi) -> _Sent:
        sums = dict.fromkeys(_COUNTERS, 0.0)
        for name, labels, value in _COUNTED.findall(await api.text("/metrics")):
            if 'integration="telegram"' in labels and name in sums:
                sums[name] += float(value)
        return _Sent(*sums.values())

    async def _beat(self) -> str | None:
        service = self._service("dead-man")
        if service is None:
            return None
        silence = float(service.settings.get("silence", 0))
        age = await self._until(lambda: self._heard(self._api(service), silence))
        if age is None:
            raise BackendError(problems.not_heard(service))
        return f"{service.name} on {service.target} heard it {age:.0f} s ago"

    async def _heard(self, api: ServiceApi, silence: float) -> float | None:
        found = _BEAT.search(await api.text("/metrics"))
        age = time.time() - float(found[1]) if found else None
        return max(age, 0.0) if age is not None and age < silence else None

    async def _until(self, look: Callable[[], Awaitable[Seen | None]]) -> Seen | None:
        """What the look finds, None when patience ends."""
        end = time.monotonic() + self.patience
        while True:
            found = await look()
            if found is not None or time.monotonic() >= end:
                return found
            await asyncio.sleep(_EVERY)

    def _alert(self, *, over: bool) -> dict[str, object]:
        assert self.alertmanager is not None
        now = datetime.now(UTC)
        ends = now if over else now + timedelta(seconds=2 * self.patience)
        return {
            "labels": {
                "alertname": TEST_ALERT,
                "severity": "warning",
                "service": self.alertmanager.name,
                "target": self.alertmanager.target,
                "test": self.mark,
            },
            "annotations": {"summary": "A test by `freehold alerts test`: nothing is wrong"},
            "endsAt": ends.isoformat(),
        }

    def _api(self, service: Service) -> ServiceApi:
        target = self.targets.target(service.target)
        return ServiceApi(target, self.infra.name, service, service.descriptor.ports[0].number)

    def _service(self, kind: str) -> Service | None:
        return next((each for each in self.infra.services if each.descriptor.name == kind), None)
