"""The dead man's switch of the catalog: the program itself, with the environment that its container gets."""

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.estate import CHAT, ORION, TOKEN, entries, rendered
from tests.monitoring.programs import LOOPBACK, answer, free_port, log_of, running, wait_for
from tests.monitoring.telegram import Telegram
from tests.monitoring.test_files import laid

SILENCE = 2  # seconds
BEAT = {"alerts": [{"status": "firing", "labels": {"alertname": "Watchdog", "severity": "none"}}]}


class DeadMan:
    """One that can be started, any number of times."""

    def __init__(self, folder: Path, telegram: Telegram) -> None:
        told = ORION.replace("token: telegram_token", f"token: telegram_token, api: '{telegram.address}'")  # fmt: skip
        self.folder = folder
        self.files = laid(folder / "files", rendered(folder, told)["watchman"])
        self.port = free_port()
        self.variables = dict(entries(folder, told)["watchman"]["environment"])
        self.variables |= {
            "DEAD_MAN_ADDRESS": LOOPBACK,
            "DEAD_MAN_PORT": str(self.port),
            "DEAD_MAN_SILENCE_SECONDS": str(SILENCE),
            "DEAD_MAN_STATE": str(folder / "state.json"),
            "DEAD_MAN_TOKEN_FILE": f"{self.files}{self.variables['DEAD_MAN_TOKEN_FILE']}",
        }

    @staticmethod
    def program(folder: Path) -> Path:
        """As its container gets it."""
        return laid(folder / "program", rendered(folder)["watchman"]) / "app/dead_man.py"

    def started(self) -> AbstractContextManager[Any]:
        program = self.files / "app/dead_man.py"
        return running(self.folder, sys.executable, "-u", program, **self.variables)

    def url(self, path: str) -> str:
        return f"http://{LOOPBACK}:{self.port}/{path}"

    def ready(self) -> None:
        wait_for(lambda: answer(self.url("health")), "it answers")

    def beat(self, body: object = BEAT) -> bool:
        return answer(self.url("beat"), json.dumps(body).encode()) is not None

    def measured(self) -> dict[str, float]:
        lines = (answer(self.url("metrics")) or b"").decode().splitlines()
        return {name: float(value) for name, value in (each.split() for each in lines if each[0] != "#")}  # fmt: skip


@pytest.fixture
def dead_man(tmp_path: Path, telegram: Telegram) -> DeadMan:
    return DeadMan(tmp_path, telegram)


@pytest.fixture
def alive(dead_man: DeadMan) -> Iterator[DeadMan]:
    with dead_man.started():
        dead_man.ready()
        yield dead_man


def test_silence_is_one_message_and_the_next_beat_another(
    alive: DeadMan, telegram: Telegram
) -> None:
    assert alive.beat()
    assert alive.measured()["dead_man_silent"] == 0
    wait_for(lambda: telegram.texts, "a message of silence")
    assert alive.measured()["dead_man_silent"] == 1
    assert alive.beat()
    wait_for(lambda: len(telegram.texts) > 1, "a message that it is over")
    silence, over = telegram.texts
    assert silence.splitlines() == [
        "🔴 critical · dead man's switch",
        "Alertmanager has not been heard for 1 min: nobody would be told of anything else",
        "orion",
    ]
    assert over.startswith("✅ over · dead man's switch\n")
    assert {each[:2] for each in telegram.got} == {(TOKEN.decode(), CHAT)}
    assert alive.measured()["dead_man_messages_sent_total"] == 2


def test_who_was_never_heard_is_told_of_too(alive: DeadMan, telegram: Telegram) -> None:
    wait_for(lambda: telegram.texts, "a message of silence")


def test_a_restart_tells_nothing_again_and_forgets_nothing(
    dead_man: DeadMan, telegram: Telegram
) -> None:
    with dead_man.started():
        wait_for(lambda: telegram.texts, "a message of silence")
        wait_for(lambda: (dead_man.folder / "state.json").exists(), "it is written down")
    with dead_man.started():
        dead_man.ready()
        wait_for(lambda: dead_man.measured().get("dead_man_silent") == 1, "it is silent again")
        assert len(telegram.texts) == 1
        dead_man.beat()
        wait_for(lambda: len(telegram.texts) > 1, "a message that it is over")
    assert telegram.texts[1].startswith("✅ over")


def test_a_message_that_does_not_come_through_is_sent_until_it_does(
    alive: DeadMan, telegram: Telegram
) -> None:
    telegram.broken = True
    wait_for(lambda: alive.measured()["dead_man_messages_failed_total"] >= 2, "two tries")
    assert telegram.texts == []
    telegram.broken = False
    wait_for(lambda: telegram.texts, "the message")
    alive.beat()
    wait_for(lambda: len(telegram.texts) > 1, "the end")
    said = log_of(alive.folder, sys.executable).read_text()
    assert "Telegram was not reached: HTTPError" in said
    assert TOKEN.decode() not in said


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"alerts": [{"status": "resolved", "labels": {"alertname": "Watchdog"}}]},
        {"alerts": [{"status": "firing", "labels": {"alertname": "HostDown"}}]},
        ["beat"],
    ],
)
def test_only_a_watchdog_that_fires_is_a_beat(alive: DeadMan, body: object) -> None:
    before = alive.measured()["dead_man_last_beat_timestamp_seconds"]
    assert not alive.beat(body)
    assert alive.measured()["dead_man_last_beat_timestamp_seconds"] == before


def test_no_beat_is_none(alive: DeadMan) -> None:
    assert alive.measured()["dead_man_last_beat_timestamp_seconds"] == 0
    assert alive.beat()
    assert time.time() - alive.measured()["dead_man_last_beat_timestamp_seconds"] < 60


@pytest.mark.parametrize(
    "state", ["", "{", '{"told": true}', '{"last_beat": "x", "told": true}', "[]"]
)
def test_a_state_that_cannot_be_read_begins_anew(
    dead_man: DeadMan, telegram: Telegram, state: str
) -> None:
    path = dead_man.folder / "state.json"
    path.write_text(state)
    with dead_man.started():
        dead_man.ready()
        assert "begins anew" in log_of(dead_man.folder, sys.executable).read_text()
        assert dead_man.beat()
        assert json.loads(path.read_text())["last_beat"] > 0


@pytest.fixture
def program(tmp_path: Path) -> Any:
    """The module itself, for what needs another clock than this machine's."""
    path = DeadMan.program(tmp_path)
    spec = importlib.util.spec_from_file_location("dead_man", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("jump", [-1e8, 1e8])
def test_a_clock_that_is_set_is_no_silence(
    program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    switch = program.Switch(tmp_path / "state.json", 300.0)
    now = time.time() + jump
    monkeypatch.setattr(program.time, "time", lambda: now)
    assert not switch.silent(), "it was just started"
    assert not switch.heard()
    switch.beat()
    monkeypatch.undo()
    assert not switch.silent()
    assert switch.heard()
    monkeypatch.setattr(program.time, "time", lambda: now)
    assert 0 <= switch.seconds() < 60


def test_without_a_chat_it_tells_its_log_alone(dead_man: DeadMan, telegram: Telegram) -> None:
    dead_man.variables |= {"DEAD_MAN_CHAT": "", "DEAD_MAN_API": "", "DEAD_MAN_TOKEN_FILE": ""}
    with dead_man.started():
        dead_man.ready()
        log = log_of(dead_man.folder, sys.executable)
        wait_for(lambda: "has not been heard" in log.read_text(), "its log")
    assert telegram.texts == []
