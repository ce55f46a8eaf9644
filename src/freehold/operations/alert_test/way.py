"""`freehold alerts test`: an alert that is none is sent, and followed to whoever is told. Called by `cli.alerts`.

It goes the way of all alerts from Alertmanager on: to the same token and chat, by a receiver that only tests have. That Prometheus's alerts
come to Alertmanager, and its beat to the dead man's switch, is looked at beside it (`before`). Facts about Alertmanager: its API (version 2,
prometheus.io/docs/alerting/latest/clients); an alert that is sent without times begins when it comes.
"""

import asyncio
import secrets as random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import Infra
from freehold.model.services import Service
from freehold.operations.alert_test import messages, problems
from freehold.operations.alert_test.before import alerts_handed_over, beat_heard
from freehold.operations.alert_test.services import Services
from freehold.operations.alert_test.steps import AlertTest, Outcome, Step
from freehold.operations.service_api import ServiceApi
from freehold.system.targets.api import Targets

TEST_ALERT = "FreeholdTest"
"""Its name; `catalog/alertmanager.yml` has a route for it that does not wait for others."""

_ALERTS = "/api/v2/alerts"
_MORE = 60.0  # seconds more than patience after which a test that nobody ends is over by itself

Told = Callable[[Step], None]
Look = Callable[[], Awaitable[str | None]]
"""One part: what is to be said of it, None where there is nothing to look at. Raises BackendError."""


async def send_test_alert(infra: Infra, targets: Targets, patience: float, told: Told) -> AlertTest:
    """Send one and follow it, at most `patience` seconds for each part.

    Raises BackendError where there is no Alertmanager or nobody to tell, and where Alertmanager does not answer.
    """
    services = Services(infra, targets, patience)
    alertmanager = services.first("alertmanager")
    if alertmanager is None:
        raise BackendError(problems.NO_ALERTMANAGER)
    if infra.alerting is None or infra.alerting.telegram is None:
        raise BackendError(problems.NOBODY_TOLD)
    way = _Way(services, services.api(alertmanager), told)
    await way.go()
    return way.test


class _Way:
    """One test on its way."""

    def __init__(self, services: Services, api: ServiceApi, told: Told) -> None:
        self.services, self.api, self.told = services, api, told
        self.test = AlertTest()
        self.alert = _TestAlert(api.service)

    async def go(self) -> None:
        """All parts; what lies behind one that failed is not looked at."""
        await messages.sent(self.api)  # it answers
        await self._before()
        sent = await messages.sent(self.api)
        try:
            if not await self._part("Alertmanager takes an alert", self._fire):
                return
            if not await self._part("Telegram takes the message", self._message(sent)):
                return
            sent = await messages.sent(self.api)
        finally:
            await self.api.post(_ALERTS, [self.alert.over()])
        await self._part("Telegram takes the message that it is over", self._message(sent))

    async def _before(self) -> None:
        """What comes once a minute is waited for together."""
        parts: dict[str, Look] = {
            "Prometheus sends its alerts to Alertmanager": lambda: alerts_handed_over(
                self.services, self.api
            ),
            "the dead man's switch hears the beat": lambda: beat_heard(self.services),
        }
        async with asyncio.TaskGroup() as group:
            for each in [group.create_task(_seen(what, look)) for what, look in parts.items()]:
                self._tell(*await each)

    async def _part(self, what: str, look: Look) -> bool:
        """One part. Whether it was seen."""
        return self._tell(*await _seen(what, look)) is Outcome.SEEN

    def _tell(self, step: Step, problem: Diagnostic | None) -> Outcome:
        self.test.problem = self.test.problem or problem
        self.test.steps.append(step)
        self.told(step)
        return step.outcome

    def _message(self, before: messages.Sent) -> Look:
        return lambda: messages.taken(self.services, self.api, before)

    async def _fire(self) -> str:
        await self.api.post(_ALERTS, [self.alert.described])
        found = await self.services.until(self._known)
        if found is None:
            raise BackendError(problems.not_taken(self.api.service))
        self.alert.began(str(found["startsAt"]))
        status = found["status"]
        if status["state"] != "active":
            raise BackendError(problems.held_back(self.api.service, status))
        await self.api.post(_ALERTS, [self.alert.lasts(2 * self.services.patience + _MORE)])
        return f"for {', '.join(each['name'] for each in found['receivers'])}"

    async def _known(self) -> Any:
        """The alert as Alertmanager has it; None until it has worked on it."""
        given = quote(f'test="{self.alert.mark}"')
        listed = await self.api.json(f"{_ALERTS}?filter={given}")
        return next((each for each in listed if each["status"]["state"] != "unprocessed"), None)


class _TestAlert:
    """The alert; all its times are those of Alertmanager's clock, for that of this computer may be another."""

    def __init__(self, alertmanager: Service) -> None:
        self.mark = random.token_hex(4)
        self.described: dict[str, object] = {
            "labels": {
                "alertname": TEST_ALERT,
                "severity": "warning",
                "service": alertmanager.name,
                "target": alertmanager.target,
                "test": self.mark,
            },
            "annotations": {"summary": "A test by `freehold alerts test`: nothing is wrong"},
        }
        self._began, self._since = datetime.now(UTC), time.monotonic()

    def began(self, at: str) -> None:
        """When Alertmanager says that it began."""
        self._began, self._since = datetime.fromisoformat(at), time.monotonic()

    def lasts(self, seconds: float) -> dict[str, object]:
        """It goes on for so long, unless it is ended."""
        return self._until(seconds)

    def over(self) -> dict[str, object]:
        """It ends now."""
        return self._until(time.monotonic() - self._since)

    def _until(self, seconds: float) -> dict[str, object]:
        ends = self._began + timedelta(seconds=seconds)
        times = {"startsAt": self._began.isoformat(), "endsAt": ends.isoformat()}
        return {**self.described, **times}


async def _seen(what: str, look: Look) -> tuple[Step, Diagnostic | None]:
    """A part as it was, and what to do where it failed."""
    started = time.monotonic()
    try:
        detail = await look()
    except BackendError as error:
        problem = error.diagnostics[0]
        return Step(what, Outcome.FAILED, time.monotonic() - started, problem.detail), problem
    outcome = Outcome.NOT_MEASURED if detail is None else Outcome.SEEN
    seconds = time.monotonic() - started
    return Step(what, outcome, seconds, detail or "infra.yml has no service for it"), None
