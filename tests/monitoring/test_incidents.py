"""What people are told, by a real Alertmanager with the rendered configuration: one message for an incident, and one when it is over.

Alerts are those that the rendered rules would raise, posted as Prometheus posts them. That nothing more comes is seen by alerts that
are posted last: when their messages are there, all before them have been sent or withheld.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.estate import CHAT, DOORS, ORION, TOKEN, Files, rendered
from tests.monitoring.programs import LOOPBACK, answer, free_port, running, wait_for, with_debian
from tests.monitoring.telegram import Telegram
from tests.monitoring.test_files import laid

pytestmark = [pytest.mark.lab, pytest.mark.slow]

HASTE = "alertmanager: {on: cortex, settings: {wait: 2s, interval: 1s, link: 'https://alerts.example.org'}}"

KEPT = f"""
    freehold: 1
    name: kept
    hosts:
      cortex: {{address: 203.0.113.20}}
      synapse: {{address: 203.0.113.21}}
    services:
      prometheus: {{on: cortex}}
      loud: {{on: cortex, service: alertmanager, settings: {{wait: 2s, interval: 1s}}}}
      looks: {{on: cortex, service: blackbox-exporter}}
      db: {{on: synapse, service: postgresql}}
      db-numbers: {{on: cortex, service: postgres-exporter}}
      cache: {{on: synapse, service: redis}}
      cache-numbers: {{on: cortex, service: redis-exporter}}
    alerts: {{telegram: {{chat: "{CHAT}", token: telegram_token}}}}
    """


class Alertmanager:
    """A running one."""

    def __init__(self, port: int, rules: Files) -> None:
        self.address = f"http://{LOOPBACK}:{port}"
        self.rules = yaml.safe_load(rules["/etc/prometheus/rules/estate.yml"])["groups"][0]["rules"]
        self.began = datetime.now(UTC)

    def like(self, alert: str, **labels: str) -> list[dict[str, Any]]:
        """The rules of that name, with these labels, as alerts."""
        return [
            {"labels": {"alertname": alert, **each["labels"]}, "annotations": each["annotations"]}
            for each in self.rules
            if each["alert"] == alert and labels.items() <= each["labels"].items()
        ]

    def post(self, alerts: list[dict[str, Any]], *, over: bool = False) -> None:
        now = datetime.now(UTC)  # who waits is counted from the start on
        ends = now if over else now + timedelta(hours=1)
        times = {"startsAt": (self.began if over else now).isoformat(), "endsAt": ends.isoformat()}
        assert alerts
        body = json.dumps([{**each, **times} for each in alerts]).encode()
        assert answer(f"{self.address}/api/v2/alerts", body) is not None

    def withheld(self) -> set[str]:
        """The names of alerts that are not sent because of others."""
        listed = json.loads(answer(f"{self.address}/api/v2/alerts") or b"[]")
        return {each["labels"]["alertname"] for each in listed if each["status"]["inhibitedBy"]}


@pytest.fixture
def alertmanager(programs: Path, telegram: Telegram, tmp_path: Path) -> Iterator[Alertmanager]:
    text = ORION.replace("alertmanager: {on: cortex}", HASTE)
    with _running(programs, telegram, tmp_path, text, "alertmanager") as made:
        yield made


@pytest.fixture
def behind_a_door(programs: Path, telegram: Telegram, tmp_path: Path) -> Iterator[Alertmanager]:
    with _running(programs, telegram, tmp_path, DOORS, "loud") as made:
        yield made


@contextmanager
def _running(
    programs: Path, telegram: Telegram, tmp_path: Path, text: str, name: str
) -> Iterator[Alertmanager]:
    """The Alertmanager of that name in an estate, with what its Prometheus would raise."""
    text = text.replace("token: telegram_token", f"token: telegram_token, api: '{telegram.address}'")  # fmt: skip
    files = rendered(tmp_path, text)
    folder, port = laid(tmp_path / "files", files[name]), free_port()
    argv = with_debian(
        programs,
        "prometheus-alertmanager",
        f"--config.file={folder}/etc/alertmanager/alertmanager.yml",
        f"--storage.path={tmp_path}/state",
        "--cluster.listen-address=",
        f"--web.listen-address={LOOPBACK}:{port}",
    )
    with running(tmp_path, *argv):
        made = Alertmanager(port, files["prometheus"])
        wait_for(lambda: answer(f"{made.address}/-/ready"), "Alertmanager is ready")
        yield made


def finished(alertmanager: Alertmanager, telegram: Telegram, before: int) -> list[str]:
    """What was told since, without the alerts that are posted here: one for those on the way, and one after it, for whatever is slow."""
    ours = [f"last-{before}-{number}" for number in range(2)]
    for last in ours:
        labels = {"alertname": "last", "service": last, "target": "elsewhere", "severity": "warning"}  # fmt: skip
        alertmanager.post([{"labels": labels, "annotations": {"summary": last}}])
        wait_for(partial(_told, telegram, last), f"the message {last}")
    return [text for text in telegram.texts[before:] if not any(each in text for each in ours)]


def _told(telegram: Telegram, word: str) -> bool:
    return any(word in text for text in telegram.texts)


def test_a_computer_that_is_down_is_one_message_and_hides_its_services(
    alertmanager: Alertmanager, telegram: Telegram
) -> None:
    services = alertmanager.like("ServiceDown", target="synapse")
    assert len(services) >= 4
    alertmanager.post(services)
    down = alertmanager.like("HostDown", target="synapse")
    alertmanager.post(down)
    (message,) = finished(alertmanager, telegram, 0)
    lines = message.splitlines()
    assert lines[:2] == [
        "🔴 critical · synapse",
        "synapse does not answer, nor does anything that runs there",
    ]
    assert lines[2].startswith("since ")
    assert lines[2].endswith(" UTC")
    assert lines[3:] == ["orion · https://alerts.example.org"]
    assert telegram.got[0][:2] == (TOKEN.decode(), CHAT)
    assert alertmanager.withheld() == {"ServiceDown"}

    told = len(telegram.texts)
    alertmanager.post(services, over=True)
    alertmanager.post(down, over=True)
    (message,) = finished(alertmanager, telegram, told)
    lines = message.splitlines()
    assert lines[0] == "✅ over · synapse"
    assert lines[2].startswith("lasted ")


def test_a_service_that_others_need_hides_them(
    alertmanager: Alertmanager, telegram: Telegram
) -> None:
    loki = alertmanager.like("ServiceDown", service="loki")
    alloys = [*alertmanager.like("logs-lost"), *alertmanager.like("logs-not-read")]
    assert len(alloys) == 4
    alertmanager.post([*alloys, *loki])
    (message,) = finished(alertmanager, telegram, 0)
    assert message.startswith("🔴 critical · loki on cortex\n")


def test_a_database_that_stops_hides_who_measures_it(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    with _running(programs, telegram, tmp_path, KEPT, "loud") as made:
        made.post(made.like("database-does-not-answer"))
        made.post(made.like("cache-does-not-answer"))
        made.post([*made.like("ProbeFailed", service="db"), *made.like("ProbeFailed", service="cache")])  # fmt: skip
        one, other = sorted(finished(made, telegram, 0))
        assert one.startswith(
            "🔴 critical · cache on synapse\ncache on synapse does not answer at tcp://"
        )
        assert other.startswith(
            "🔴 critical · db on synapse\ndb on synapse does not answer at tcp://"
        )
        assert made.withheld() == {"database-does-not-answer", "cache-does-not-answer"}


def test_a_proxy_that_is_down_hides_the_names_that_it_serves(
    alertmanager: Alertmanager, telegram: Telegram
) -> None:
    front = alertmanager.like("ServiceDown", service="front")
    names = alertmanager.like("NameFailed", ingress="front")
    alertmanager.post([*names, *front])
    told = finished(alertmanager, telegram, 0)
    assert [text.splitlines()[0] for text in told] == ["🔴 critical · front on cortex"]


def test_a_proxy_that_serves_none_of_its_names_and_two_that_see_it_are_one_message(
    behind_a_door: Alertmanager, telegram: Telegram
) -> None:
    names = behind_a_door.like("NameFailed", ingress="front")
    assert len(names) == 3
    front = behind_a_door.like("IngressFailed", service="front")
    behind_a_door.post([*names, *front])
    (message,) = finished(behind_a_door, telegram, 0)
    assert message.startswith(
        "🔴 critical · front on cortex\nfront on cortex serves none of its names"
    )
    assert behind_a_door.withheld() == {"NameFailed"}

    before = len(telegram.texts)
    (page,) = behind_a_door.like("ProbeFailed", service="numbers")
    behind_a_door.post([page])
    told = finished(behind_a_door, telegram, before)
    assert [text.splitlines()[0] for text in told] == ["🔴 critical · numbers on synapse"]


def test_of_a_disk_the_worse_alone_is_told_and_another_disk_beside_it_too(
    alertmanager: Alertmanager, telegram: Telegram
) -> None:
    def disk(alert: str, mountpoint: str) -> dict[str, Any]:
        (rule,) = alertmanager.like(alert, service="node-synapse")
        labels = {**rule["labels"], "mountpoint": mountpoint, "device": "/dev/sda1"}
        return {"labels": labels, "annotations": {"summary": f"{mountpoint}: {alert}"}}

    alertmanager.post([disk("disk-nearly-full", "/"), disk("disk-full", "/"), disk("disk-nearly-full", "/srv")])  # fmt: skip
    (message,) = finished(alertmanager, telegram, 0)
    assert "/: disk-full" in message
    assert "/srv: disk-nearly-full" in message
    assert "/: disk-nearly-full" not in message


def test_a_message_tells_of_many_in_few_lines(
    alertmanager: Alertmanager, telegram: Telegram
) -> None:
    many = [
        {"labels": {"alertname": "many", "service": "db", "target": "synapse", "severity": "warning", "number": str(number)}, "annotations": {"summary": "<b>one & of many</b>"}}
        for number in range(40)
    ]  # fmt: skip
    alertmanager.post(many)
    (message,) = finished(alertmanager, telegram, 0)
    assert message.count("<b>one & of many</b>") == 8
    assert "… and more: 40 in all" in message


def test_the_watchdog_is_told_to_nobody_by_telegram(
    alertmanager: Alertmanager, telegram: Telegram
) -> None:
    labels = {"alertname": "Watchdog", "severity": "none"}
    alertmanager.post([{"labels": labels, "annotations": {"summary": "Alerts arrive"}}])
    assert finished(alertmanager, telegram, 0) == []
