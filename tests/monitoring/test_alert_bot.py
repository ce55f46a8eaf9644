"""The alert bot of the catalog with a real Alertmanager and a stand-in for Telegram: the program itself, with the environment that its container gets.

That nothing is told is seen by an alert that is posted last: when its message is there, all before it have been sent or withheld.
"""

import json
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.estate import CHAT, TOKEN, entries, rendered
from tests.monitoring.programs import (  # fmt: skip
    LOOPBACK,
    answer,
    checked,
    free_port,
    log_of,
    running,
    wait_for,
)
from tests.monitoring.telegram import BOT, Telegram
from tests.monitoring.test_alert_test import alertmanager
from tests.monitoring.test_files import laid

pytestmark = pytest.mark.lab

ESTATE = textwrap.dedent(
    f"""
    freehold: 1
    name: orion
    hosts:
      cortex: {{address: 203.0.113.20}}
      synapse: {{address: 203.0.113.21}}
    services:
      prometheus: {{on: cortex}}
      alertmanager: {{on: cortex, settings: {{wait: 1s, interval: 1s}}}}
      bot: {{on: synapse, service: alert-bot}}
      db: {{on: synapse, service: postgresql}}
      node-cortex: {{on: cortex, service: node-exporter}}
    alerts: {{telegram: {{chat: "{CHAT}", token: telegram_token, api: "API"}}}}
    """
)
DISK = {"target": "cortex", "service": "node-cortex", "alertname": "disk-full", "mountpoint": "/srv", "severity": "critical"}  # fmt: skip
OTHER_DISK = {**DISK, "mountpoint": "/"}
DB = {"target": "synapse", "service": "db", "alertname": "ServiceDown", "severity": "critical"}
HOST = {"target": "synapse", "alertname": "HostDown", "severity": "critical"}


class Bot:
    """One that can be started, any number of times, and the Alertmanager that it speaks to."""

    def __init__(self, folder: Path, telegram: Telegram, alertmanager: int, text: str) -> None:
        self.folder, self.telegram = folder, telegram
        self.alerts = f"http://{LOOPBACK}:{alertmanager}/api/v2"
        self.files = laid(folder / "bot", rendered(folder, text)["bot"])
        self.port = free_port()
        entry = entries(folder, text)["bot"]
        self.command = entry["command"][1:]
        self.variables = dict(entry["environment"])
        self.container_alertmanager = self.variables["ALERT_BOT_ALERTMANAGER"]
        self.variables |= {
            "PYTHONPATH": f"{self.files}/app",
            "ALERT_BOT_ADDRESS": LOOPBACK,
            "ALERT_BOT_PORT": str(self.port),
            "ALERT_BOT_ALERTMANAGER": f"{LOOPBACK}:{alertmanager}",
            "ALERT_BOT_STATE": str(folder / "state.json"),
            "ALERT_BOT_TOKEN_FILE": f"{self.files}{self.variables['ALERT_BOT_TOKEN_FILE']}",
            "ALERT_BOT_POLL_SECONDS": "1",
            "ALERT_BOT_SETTLED_SECONDS": "0",
        }

    def started(self) -> AbstractContextManager[Any]:
        return running(self.folder, sys.executable, *self.command, **self.variables)

    def log(self) -> str:
        return log_of(self.folder, sys.executable).read_text()

    def measured(self) -> dict[str, float]:
        lines = (answer(f"http://{LOOPBACK}:{self.port}/metrics") or b"").decode().splitlines()
        return {name: float(value) for name, value in (each.split() for each in lines if each[0] != "#")}  # fmt: skip

    def post(self, *labels: dict[str, str], over: bool = False) -> None:
        """As Prometheus does: what fires, or does not any more."""
        now = datetime.now(UTC)
        ends = now if over else now + timedelta(hours=1)
        times = {"startsAt": (now - timedelta(minutes=5)).isoformat(), "endsAt": ends.isoformat()}
        told = [{"labels": each, "annotations": {"summary": f"{each['alertname']} it is"}, **times} for each in labels]  # fmt: skip
        assert answer(f"{self.alerts}/alerts", json.dumps(told).encode()) is not None

    def fired(self, *labels: dict[str, str]) -> str:
        """The message about it."""
        before = len(self.telegram.texts)
        self.post(*labels)
        return self.next(before)

    def says(self, text: str, about: str = "") -> str:
        """What is answered to Anna."""
        before = len(self.telegram.texts)
        self.telegram.say(text, CHAT, about)
        return self.next(before)

    def next(self, before: int) -> str:
        wait_for(lambda: len(self.telegram.texts) > before, "a message")
        return self.telegram.texts[before]

    def told_since(self, before: int, last: str) -> list[str]:
        """All that is told until an alert comes through that is posted now."""
        labels = {"alertname": "last", "service": last, "target": "elsewhere", "severity": "warning"}  # fmt: skip
        self.post(labels)
        wait_for(lambda: any(last in text for text in self.telegram.texts), "the last message")
        return [text for text in self.telegram.texts[before:] if last not in text]

    def silences(self) -> list[dict[str, Any]]:
        found = json.loads(answer(f"{self.alerts}/silences") or b"[]")
        return [each for each in found if each["status"]["state"] == "active"]

    def silenced(self) -> set[tuple[str, str]]:
        """Alerts that a silence suppresses: name and mount point."""
        listed = json.loads(answer(f"{self.alerts}/alerts") or b"[]")
        return {
            (each["labels"]["alertname"], each["labels"].get("mountpoint", ""))
            for each in listed
            if each["status"]["state"] == "suppressed" and each["status"]["silencedBy"]
        }

    def kept(self) -> list[str]:
        """Names of alerts that it remembers as silenced."""
        state = self.folder / "state.json"
        return [each["labels"]["alertname"] for each in json.loads(state.read_text())["silenced"]] if state.exists() else []  # fmt: skip

    def acknowledge(self, labels: dict[str, str], minutes: float) -> str:
        """A silence as the bot makes them: its id."""
        now = datetime.now(UTC)
        matchers = [{"name": name, "value": value, "isRegex": False} for name, value in labels.items()]  # fmt: skip
        times = {"startsAt": now.isoformat(), "endsAt": (now + timedelta(minutes=minutes)).isoformat()}  # fmt: skip
        body = {"matchers": matchers, **times, "createdBy": "Anna", "comment": "acknowledged in Telegram"}  # fmt: skip
        made = answer(f"{self.alerts}/silences", json.dumps(body).encode())
        assert made is not None
        return str(json.loads(made)["silenceID"])

    def expire(self) -> None:
        """End all silences, as by hand."""
        for each in self.silences():
            request = urllib.request.Request(f"{self.alerts}/silence/{each['id']}", method="DELETE")
            urllib.request.urlopen(request, timeout=5).close()


@contextmanager
def made(programs: Path, folder: Path, telegram: Telegram) -> Iterator[Bot]:
    text = ESTATE.replace("API", telegram.address)
    with alertmanager(programs, folder, text) as port:
        yield Bot(folder, telegram, port, text)


@pytest.fixture
def stopped(programs: Path, telegram: Telegram, tmp_path: Path) -> Iterator[Bot]:
    """One that does not run yet."""
    with made(programs, tmp_path, telegram) as bot:
        yield bot


@pytest.fixture
def bot(stopped: Bot) -> Iterator[Bot]:
    with stopped.started():
        wait_for(lambda: answer(f"http://{LOOPBACK}:{stopped.port}/health"), "it answers")
        yield stopped


def over(telegram: Telegram, before: int) -> int:
    """How many messages say that something is over."""
    return sum("✅ over" in text for text in telegram.texts[before:])


def until(ends: str) -> float:
    """Hours from now on."""
    return (datetime.fromisoformat(ends) - datetime.now(UTC)).total_seconds() / 3600


def test_an_answer_to_a_message_silences_its_incident(bot: Bot, telegram: Telegram) -> None:
    message = bot.fired(DB)
    said = bot.says("/silence 2h", about=message)
    lines = said.splitlines()
    assert lines[0] == "🔕 silenced · db on synapse"
    assert lines[1].endswith(" UTC, by Anna Ada")
    assert lines[2] == "/unsilence_db"
    (silence,) = bot.silences()
    assert {each["name"]: each["value"] for each in silence["matchers"]} == {"service": "db", "target": "synapse"}  # fmt: skip
    assert 1.9 < until(silence["endsAt"]) < 2.1
    assert (silence["createdBy"], silence["comment"]) == ("Anna Ada", "silenced in Telegram")
    assert bot.silenced() == {("ServiceDown", "")}
    assert {each[:2] for each in telegram.got} == {(TOKEN.decode(), CHAT)}
    assert bot.measured()["alert_bot_commands_total"] == 1


def test_what_is_silenced_is_listed_and_told_again_when_that_is_ended(bot: Bot) -> None:
    bot.fired(DB)
    bot.says("/silence db")
    assert 3.9 < until(bot.silences()[0]["endsAt"]) < 4.1, "the default of the setting"
    (first, second, third) = bot.says("/silences").splitlines()
    assert (first, third) == ("🔕 silenced · db on synapse", "/unsilence_db")
    assert second.startswith("silenced until ")
    before = len(bot.telegram.texts)
    assert bot.says("/unsilence_db") == "🔔 no longer silenced · db on synapse"
    wait_for(lambda: len(bot.telegram.texts) > before + 1, "that it still fires")
    assert bot.telegram.texts[before + 1].splitlines() == [
        "🔔 no longer silenced · db on synapse",
        "still fires: ServiceDown it is",
    ]
    assert bot.silences() == []
    assert bot.says("/silences") == "Nothing is silenced."


def test_what_fires_is_listed_with_what_can_be_done(bot: Bot) -> None:
    assert "✅ Nothing fires." not in bot.says("/alerts"), "Prometheus was not heard"
    bot.post({"alertname": "Watchdog", "severity": "none"})
    assert bot.says(f"/alerts@{BOT}") == "✅ Nothing fires."
    bot.fired(DISK, OTHER_DISK)
    bot.fired(HOST)
    host, disks = bot.says("/alerts").split("\n\n")
    assert disks.splitlines()[0] == "🔴 critical · node-cortex on cortex"
    assert disks.splitlines()[1:3] == ["disk-full it is"] * 2
    assert disks.splitlines()[-1] == "/ack_node_cortex /silence_node_cortex"
    assert host.splitlines()[0] == "🔴 critical · synapse"
    bot.says("/ack_synapse")
    assert "acknowledged by Anna Ada, until it is over" in bot.says("/alerts").split("\n\n")[0]


def test_who_acknowledges_hears_no_more_of_it_but_of_what_joins_it_and_of_its_end(
    bot: Bot, telegram: Telegram
) -> None:
    message = bot.fired(DISK)
    said = bot.says("/ack", about=message)
    assert said.startswith("☑️ acknowledged · node-cortex on cortex\nuntil it is over, by Anna Ada")
    wait_for(lambda: bot.silenced() == {("disk-full", "/srv")}, "it is suppressed")
    assert "critical · node-cortex on cortex" in bot.fired(OTHER_DISK)
    assert bot.silenced() == {("disk-full", "/srv")}, "another disk is another matter"

    before = len(telegram.texts)
    bot.post(DISK, OTHER_DISK, over=True)
    wait_for(lambda: not bot.silences(), "the acknowledgement ends by itself")
    wait_for(lambda: over(telegram, before) >= 1, "that it is over")
    told = bot.told_since(before, "last-one")
    assert all(text.startswith("✅ over · node-cortex on cortex") for text in told)
    assert sum(text.count("✅") for text in told) == 2, "each disk once"
    assert "critical" in bot.fired(DISK), "what comes again is told again"


def test_an_acknowledgement_is_prolonged_while_it_fires_and_ended_when_it_is_known_to_be_over(
    stopped: Bot,
) -> None:
    stopped.fired(DB)
    before = stopped.acknowledge(DB, minutes=5)
    with stopped.started():
        wait_for(lambda: until(stopped.silences()[0]["endsAt"]) > 0.2, "it is prolonged")
        assert [each["id"] for each in stopped.silences()] == [before]
    stopped.post(DB, over=True)
    stopped.variables["ALERT_BOT_SETTLED_SECONDS"] = "3600"  # as if Alertmanager had just started
    with stopped.started():
        assert stopped.says("/silences") == stopped.says("/silences")
        assert [each["id"] for each in stopped.silences()] == [before]
    stopped.variables["ALERT_BOT_SETTLED_SECONDS"] = "0"
    with stopped.started():
        wait_for(lambda: not stopped.silences(), "it is ended")


@pytest.mark.slow
def test_what_ended_while_it_was_silenced_is_told_when_it_comes_again(
    bot: Bot, telegram: Telegram
) -> None:
    """Alertmanager by itself would believe that people know of it, for a day."""
    bot.fired(DB)
    bot.says("/silence db")
    before = len(telegram.texts)
    wait_for(lambda: bot.kept() == ["ServiceDown"], "the bot knows what is silenced")
    bot.post(DB, over=True)
    assert bot.told_since(before, "last-one") == []
    before = len(telegram.texts)
    assert bot.told_since(before, "last-two") == []
    bot.expire()
    wait_for(lambda: over(telegram, before), "that it is over")
    wait_for(lambda: bot.kept() == [], "the bot knows it too")
    assert "critical · db on synapse" in bot.fired(DB)


@pytest.mark.slow
def test_a_silenced_computer_still_hides_what_runs_there(bot: Bot, telegram: Telegram) -> None:
    assert bot.says("/silence synapse 30m").startswith("🔕 silenced · synapse\n")
    before = len(telegram.texts)
    bot.post(HOST)
    bot.post(DB)
    assert bot.told_since(before, "last-one") == []
    assert ("HostDown", "") in bot.silenced()
    assert ("ServiceDown", "") not in bot.silenced(), "it is hidden, not silenced"


def test_another_chat_is_neither_obeyed_nor_answered(bot: Bot, telegram: Telegram) -> None:
    telegram.say("/silence db", "-100999")
    telegram.say("/alerts", "7")
    wait_for(lambda: bot.measured()["alert_bot_strangers_total"] == 2, "both were heard")
    assert "Nothing is silenced." in bot.says("/silences")
    assert len(telegram.texts) == 1
    assert {each[1] for each in telegram.got} == {CHAT}


def test_a_restart_does_nothing_twice(stopped: Bot, telegram: Telegram) -> None:
    with stopped.started():
        stopped.says("/silence db")
    (first,) = stopped.silences()
    telegram.say("/silence db", CHAT)
    telegram.updates[-1]["update_id"] = telegram.last_update = telegram.last_update - 1
    with stopped.started():  # it ended before Telegram knew that this is done
        wait_for(lambda: not telegram.updates, "Telegram is told")
        assert "db on synapse" in stopped.says("/silences")
    (second,) = stopped.silences()
    assert first == second
    assert len(telegram.texts) == 2


def test_telegram_may_begin_to_count_anew(bot: Bot, telegram: Telegram) -> None:
    """It does when nothing was said for a week: github.com/go-telegram-bot-api/telegram-bot-api/issues/156."""
    bot.says("/silences")
    telegram.last_update = 40
    assert "db on synapse" in bot.says("/silence db")
    wait_for(lambda: not telegram.updates, "Telegram is told that it is done")
    assert "db on synapse" in bot.says("/silences")
    assert len(telegram.texts) == 3


def test_what_was_said_long_ago_is_not_done(stopped: Bot, telegram: Telegram) -> None:
    telegram.say("/silence db", CHAT, minutes_ago=12)
    telegram.say("how are you?", CHAT, minutes_ago=12)
    with stopped.started():
        wait_for(lambda: telegram.texts, "an answer")
        assert "said 12 min ago" in telegram.texts[0]
        assert "Nothing is silenced." in stopped.says("/silences")
    assert len(telegram.texts) == 2


WRONG = {
    "/mute db": "/silence – nothing of it for a while",
    "/silence": "Say of what: /silence NAME",
    "/silence node-cortxe": "Did you mean node-cortex?",
    "/silence db 99w": "between 1m and 30d",
    "/silence db 0h": "between 1m and 30d",
    "/ack db": "Nothing fires of db on synapse.",
    "/unsilence db": "Nothing silences db on synapse.",
}


def test_wrong_words_get_an_answer_that_helps(bot: Bot) -> None:
    for said, answered in WRONG.items():
        assert answered in bot.says(said)
    dead_man = "🔴 critical · dead man's switch\nAlertmanager has not been heard for 5 min"
    assert "Say of what" in bot.says("/ack", about=dead_man)
    assert bot.silences() == []


def test_talk_and_other_bots_are_left_alone(bot: Bot, telegram: Telegram) -> None:
    for text in ("db is down again", "/silence@another_bot db", ""):
        telegram.say(text, CHAT)
    with telegram.said:  # somebody joined
        telegram.last_update += 1
        joined = {"message_id": 6, "chat": {"id": int(CHAT)}, "new_chat_members": []}
        telegram.updates.append({"update_id": telegram.last_update, "message": joined})
    assert bot.says(f"/silences@{BOT.upper()}") == "Nothing is silenced."
    assert len(telegram.texts) == 1


def test_an_alertmanager_that_is_away_is_told_and_nothing_is_done(
    stopped: Bot, telegram: Telegram
) -> None:
    stopped.variables["ALERT_BOT_ALERTMANAGER"] = f"{LOOPBACK}:1"
    with stopped.started():
        assert "Connection refused" in stopped.says("/silence db")
        assert stopped.measured()["alert_bot_alertmanager_failures_total"] >= 1


@pytest.mark.slow
def test_telegram_that_refuses_is_asked_again_and_the_token_is_in_no_log(
    stopped: Bot, telegram: Telegram
) -> None:
    telegram.refuses = (409, "Conflict: terminated by other getUpdates request")
    with stopped.started():
        wait_for(lambda: stopped.measured().get("alert_bot_conflicts_total", 0) >= 2, "two tries")
        telegram.refuses = None
        telegram.broken = True
        wait_for(lambda: "502 without a reason" in stopped.log(), "another failure")
        telegram.broken = False
        assert stopped.says("/silences") == "Nothing is silenced."
    assert "409 Conflict: terminated by other getUpdates request" in stopped.log()
    assert TOKEN.decode() not in stopped.log()
    assert TOKEN.decode() not in json.dumps([stopped.command, stopped.variables])


def test_without_a_chat_it_is_idle_and_well(stopped: Bot, telegram: Telegram) -> None:
    stopped.variables |= {"ALERT_BOT_CHAT": "", "ALERT_BOT_API": "", "ALERT_BOT_TOKEN_FILE": ""}
    with stopped.started():
        wait_for(lambda: answer(f"http://{LOOPBACK}:{stopped.port}/health"), "it answers")
        assert "names no chat" in stopped.log()
    assert telegram.called == []


def test_the_chat_learns_the_commands_by_name(bot: Bot, telegram: Telegram) -> None:
    bot.says("/silences")
    (asked,) = [values for method, values in telegram.called if method == "setMyCommands"]
    assert asked["scope"] == {"type": "chat", "chat_id": int(CHAT)}
    assert [each["command"] for each in asked["commands"]] == ["alerts", "ack", "silence", "silences", "unsilence"]  # fmt: skip


def test_it_reaches_alertmanager_on_another_computer_and_its_rules_are_read(
    stopped: Bot, programs: Path, tmp_path: Path
) -> None:
    assert stopped.container_alertmanager == "203.0.113.20:9093"
    rules = laid(
        tmp_path / "rules",
        rendered(tmp_path, ESTATE.replace("API", "http://127.0.0.1"))["prometheus"],
    )
    file = rules / "etc/prometheus/rules/estate.yml"
    assert "bot-hears-nothing" in file.read_text()
    checked(programs / "promtool", "check", "rules", file)
