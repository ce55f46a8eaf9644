"""Alertmanager's API v2 (api/v2/openapi.yaml in its repository), as much as the alert bot needs: what fires, and silences."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException  # noqa: TID251 - a program of its own, no part of Freehold
from typing import Any, NamedTuple
from urllib.request import Request, urlopen  # noqa: TID251

PATIENCE = 15.0  # seconds
RECEIVER = "telegram"
WATCHDOG = "Watchdog"  # the alert that always fires
ACKNOWLEDGED = "acknowledged in Telegram"
SILENCED = "silenced in Telegram"


class AlertmanagerError(Exception):
    """It was not reached, or refused."""


class Place(NamedTuple):
    """What one message is about, as Alertmanager groups: a service on a target, or the target alone."""

    service: str
    target: str

    def __str__(self) -> str:
        return f"{self.service} on {self.target}" if self.service else self.target


Matcher = tuple[str, str, bool, bool]
"""Label, value, whether that is a regular expression, whether it must be equal."""

Matchers = tuple[Matcher, ...]
"""In order: with another one, Alertmanager would take a silence that is changed for a new one."""


@dataclass(frozen=True)
class Alert:
    """One that fires."""

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    since: str
    silences: tuple[str, ...]
    hidden: bool
    """Whether another alert says it all."""

    @property
    def place(self) -> Place:
        return Place(self.labels.get("service", ""), self.labels.get("target", ""))

    @property
    def critical(self) -> bool:
        return self.labels.get("severity") == "critical"

    @property
    def summary(self) -> str:
        return self.annotations.get("summary", self.labels.get("alertname", ""))


@dataclass(frozen=True)
class Silence:
    """One that holds."""

    id: str
    matchers: Matchers
    begins: str
    ends: datetime
    by: str
    comment: str

    @property
    def acknowledged(self) -> bool:
        return self.comment == ACKNOWLEDGED

    @property
    def place(self) -> Place | None:
        """None for one that is about something else than one incident, such as those made by hand."""
        equal = {label: value for label, value, regex, same in self.matchers if same and not regex}
        return Place(equal.get("service", ""), equal["target"]) if equal.get("target") else None


class Alertmanager:
    """One, at HOST:PORT. Everything raises AlertmanagerError."""

    def __init__(self, address: str) -> None:
        self.address = f"http://{address}"

    def alerts(self) -> tuple[list[Alert], bool]:
        """What fires and is for Telegram, and whether Prometheus is heard of."""
        found = self._call("/api/v2/alerts")
        told = [each for each in found if any(to["name"] == RECEIVER for to in each["receivers"])]
        return list(map(_alert, told)), any(each["labels"]["alertname"] == WATCHDOG for each in found)  # fmt: skip

    def silences(self) -> list[Silence]:
        """Those that hold, first those that end first."""
        found = self._call("/api/v2/silences")
        active = [_silence(each) for each in found if each["status"]["state"] == "active"]
        return sorted(active, key=lambda each: each.ends)

    def silence(self, matchers: Matchers, seconds: float, by: str, comment: str) -> datetime:  # fmt: skip
        """Until when. One with the same matchers and comment gets this end, so that doing it twice is doing it once."""
        same = [each for each in self.silences() if (set(each.matchers), each.comment) == (set(matchers), comment)]  # fmt: skip
        return self.prolong(same[0], seconds) if same else self._post(None, matchers, _text(_now()), seconds, by, comment)  # fmt: skip

    def prolong(self, silence: Silence, seconds: float) -> datetime:
        """The same silence, from now on for so long."""
        return self._post(silence.id, silence.matchers, silence.begins, seconds, silence.by, silence.comment)  # fmt: skip

    def expire(self, silence: Silence) -> None:
        """End it."""
        self._call(f"/api/v2/silence/{silence.id}", method="DELETE")

    def over(self, alerts: Iterable[Alert]) -> None:
        """These do not fire any more. Alertmanager knew, and said nothing of it because of a silence."""
        now = _text(_now())
        posted = [{"labels": dict(each.labels), "annotations": dict(each.annotations), "startsAt": each.since, "endsAt": now} for each in alerts]  # fmt: skip
        if posted:
            self._call("/api/v2/alerts", posted)

    def runs(self) -> float:
        """For how many seconds already."""
        began = datetime.fromisoformat(self._call("/api/v2/status")["uptime"])
        return (_now() - began).total_seconds()

    def _post(
        self, known: str | None, matchers: Matchers, begins: str, seconds: float, by: str, comment: str
    ) -> datetime:  # fmt: skip
        """With the id of one that is known, that one is changed."""
        ends = _now() + timedelta(seconds=seconds)
        listed = [{"name": label, "value": value, "isRegex": regex, "isEqual": same} for label, value, regex, same in matchers]  # fmt: skip
        made = {"matchers": listed, "startsAt": begins, "endsAt": _text(ends), "createdBy": by, "comment": comment}  # fmt: skip
        self._call("/api/v2/silences", {"id": known, **made} if known else made)
        return ends

    def _call(self, path: str, body: object = None, method: str | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)  # fmt: skip  # noqa: S310 - the address is infra.yml's
        try:
            with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                said = answer.read()
                return json.loads(said) if said.strip() else None
        except (OSError, HTTPException, ValueError) as error:
            raise AlertmanagerError(f"{request.get_method()} {path}: {error}") from error


def whole(place: Place) -> Matchers:
    """Matchers of everything that one message can be about. What has no service is not one."""
    return (("service", place.service, False, True), ("target", place.target, False, True))  # fmt: skip


def just(alerts: list[Alert]) -> Matchers:
    """Matchers of these alerts and few others: for each label, the values that it has in them."""
    labels = {label for each in alerts for label in each.labels}
    return tuple(_matcher(label, {each.labels.get(label, "") for each in alerts}) for label in sorted(labels))  # fmt: skip


def _matcher(label: str, values: set[str]) -> Matcher:
    if len(values) == 1:
        return (label, values.pop(), False, True)
    return (label, "|".join(map(re.escape, sorted(values))), True, True)


def _alert(found: Mapping[str, Any]) -> Alert:
    status = found["status"]
    silences, hidden = tuple(status["silencedBy"]), bool(status["inhibitedBy"])
    return Alert(found["fingerprint"], found["labels"], found["annotations"], found["startsAt"], silences, hidden)  # fmt: skip


def _silence(found: Mapping[str, Any]) -> Silence:
    matchers = tuple((each["name"], each["value"], each["isRegex"], each.get("isEqual", True)) for each in found["matchers"])  # fmt: skip
    ends = datetime.fromisoformat(found["endsAt"])
    return Silence(found["id"], matchers, found["startsAt"], ends, found["createdBy"], found["comment"])  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


def _text(time: datetime) -> str:
    return time.isoformat()
