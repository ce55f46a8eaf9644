"""What Alertmanager has asked of Telegram, by its own counters. For `way`.

`alertmanager_notification_requests_total` counts the requests of an integration. With the feature `receiver-name-in-metrics`, which the
catalog's Alertmanager has, of each receiver too, in the label `receiver_name`; those of the test's receiver are messages of tests alone.
"""

import re
from dataclasses import dataclass

from freehold.diagnostics import BackendError
from freehold.operations.alert_test import problems
from freehold.operations.alert_test.services import Services
from freehold.operations.service_api import ServiceApi

_RECEIVER = 'receiver_name="telegram-test"'  # of catalog/alertmanager.yml
_COUNTERS = (
    "alertmanager_notification_requests_total",
    "alertmanager_notification_requests_failed_total",
    "alertmanager_notifications_failed_total",
)
_COUNTED = re.compile(r"^(alertmanager_notification\w+_total)\{([^}]*)\} ([0-9.e+]+)$", re.M)


@dataclass(frozen=True, slots=True)
class Sent:
    """Since Alertmanager was started: requests, those of them that failed, and what it gave up. `own`: of tests alone."""

    requests: float
    failed: float
    given_up: float
    own: bool

    @property
    def taken(self) -> float:
        """Requests to which Telegram answered that all is well."""
        return self.requests - self.failed


async def sent(api: ServiceApi) -> Sent:
    """What it has sent until now. Raises BackendError."""
    sums, own = dict.fromkeys(_COUNTERS, 0.0), False
    for name, labels, value in _COUNTED.findall(await api.text("/metrics")):
        by_receiver = "receiver_name=" in labels
        own = own or by_receiver
        if name in sums and 'integration="telegram"' in labels:
            sums[name] += float(value) if not by_receiver or _RECEIVER in labels else 0.0
    requests, failed, given_up = sums.values()
    return Sent(requests, failed, given_up, own)


async def taken(services: Services, api: ServiceApi, before: Sent) -> str:
    """That Telegram takes one more. Alertmanager tries again what fails: only what it gave up has failed. Raises BackendError."""
    await services.until(lambda: _settled(api, before))
    now = await sent(api)  # of a request that is just being counted, again
    if now.taken > before.taken:
        one = "it" if now.own else "a message, which may be that of another alert"
        return f"its API answered that it has {one}"
    if now.failed > before.failed:
        raise BackendError(problems.refused(api.service))
    raise BackendError(problems.not_sent(api.service, services.patience))


async def _settled(api: ServiceApi, before: Sent) -> bool | None:
    now = await sent(api)
    return now.taken > before.taken or now.given_up > before.given_up or None
