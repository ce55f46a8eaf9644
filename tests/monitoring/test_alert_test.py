"""`freehold alerts test` with a real Alertmanager and a stand-in for Telegram's API; Docker alone is not asked, for programs run on loopback."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from freehold.diagnostics import BackendError
from freehold.operations.alert_test.steps import AlertTest, Outcome, Step
from freehold.operations.alert_test.way import send_test_alert
from freehold.system.targets.api import Ended
from freehold.system.targets.fake import FakeTarget
from tests.monitoring.estate import ORION, rendered
from tests.monitoring.programs import LOOPBACK, answer, free_port, running, wait_for, with_debian
from tests.monitoring.telegram import Telegram
from tests.monitoring.test_files import laid
from tests.provider.estate import infra_of

pytestmark = pytest.mark.lab

WITHOUT_BEAT = """
    freehold: 1
    name: orion
    hosts:
      cortex: {address: 203.0.113.20}
    services:
      alertmanager: {on: cortex}
    alerts: {telegram: {chat: "-100", token: telegram_token, api: "TELEGRAM"}}
    """
BEAT = "dead_man_last_beat_timestamp_seconds"
PROMETHEUS = {
    "/api/v1/alertmanagers": {"data": {"activeAlertmanagers": [{"url": "http://alertmanager:9093"}]}},
    "/api/v1/rules?type=alert": {"data": {"groups": [{"rules": [{"name": "HostDown", "health": "ok"}]}]}},
}  # fmt: skip


@dataclass
class Asked:
    """A target's Python: asks what runs on loopback, or answers what a program that does not run here would say."""

    ports: Mapping[int, int]
    told: Mapping[tuple[int, str], str]

    def __call__(self, command: Sequence[str], given: bytes) -> Ended | None:
        if command[0] != "python3":
            return None
        asked = json.loads(given)
        known = self.told.get((asked["port"], asked["path"]))
        if known is not None:
            return Ended(0, json.dumps({"status": 200, "text": known}), "")
        if asked["port"] not in self.ports:
            return Ended(1, "", "its container does not run\n")
        return Ended(0, json.dumps(self._real(asked)), "")

    def _real(self, asked: Mapping[str, Any]) -> Mapping[str, object]:
        url = f"http://{LOOPBACK}:{self.ports[int(asked['port'])]}{asked['path']}"
        body = asked["body"].encode() if asked["body"] is not None else None
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as got:
                return {"status": got.status, "text": got.read().decode()}
        except urllib.error.HTTPError as error:
            return {"status": error.code, "text": error.read().decode()}


class Targets:
    """One target for all."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def target(self, name: str) -> FakeTarget:
        return FakeTarget(name, self.asked)

    async def ansible_variables(self, name: str) -> Mapping[str, object]:
        return {}

    async def close(self) -> None: ...


@contextmanager
def alertmanager(programs: Path, folder: Path, text: str) -> Iterator[int]:
    """Alertmanager with the rendered configuration, on its port."""
    files, port = laid(folder / "files", rendered(folder, text)["alertmanager"]), free_port()
    argv = with_debian(
        programs,
        "prometheus-alertmanager",
        f"--config.file={files}/etc/alertmanager/alertmanager.yml",
        f"--storage.path={folder}/state",
        "--cluster.listen-address=",
        f"--web.listen-address={LOOPBACK}:{port}",
    )
    with running(folder, *argv):
        wait_for(lambda: answer(f"http://{LOOPBACK}:{port}/-/ready"), "Alertmanager is ready")
        yield port


def followed(folder: Path, text: str, asked: Asked, patience: float = 60) -> AlertTest:
    """The whole way; what is told is what the test has."""
    told: list[Step] = []
    infra = infra_of(folder, text)
    test = asyncio.run(send_test_alert(infra, Targets(asked), patience, told.append))
    assert told == test.steps
    return test


def outcomes(test: AlertTest) -> list[str]:
    return [step.outcome.value for step in test.steps]


def test_an_alert_is_followed_until_it_is_over(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    text = ORION.replace("token: telegram_token", f"token: telegram_token, api: '{telegram.address}'")  # fmt: skip
    told = {(9090, path): json.dumps(value) for path, value in PROMETHEUS.items()}
    told[9095, "/metrics"] = f"# TYPE {BEAT} gauge\n{BEAT} {time.time() - 5}\n"
    with alertmanager(programs, tmp_path, text) as port:
        test = followed(tmp_path, text, Asked({9093: port}, told))
    assert test.arrived
    assert outcomes(test) == ["seen"] * 5
    first, last = telegram.texts
    assert first.startswith("🟡 warning · alertmanager on cortex\nA test by `freehold alerts test`")
    assert last.startswith("✅ over · alertmanager on cortex\n")


def test_what_telegram_refuses_did_not_arrive(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    telegram.broken = True
    text = WITHOUT_BEAT.replace("TELEGRAM", telegram.address)
    with alertmanager(programs, tmp_path, text) as port:
        test = followed(tmp_path, text, Asked({9093: port}, {}))
    assert not test.arrived
    assert outcomes(test) == ["not measured", "not measured", "seen", "failed"]
    assert test.problem is not None
    assert test.problem.code == "test-alert-refused"
    assert not telegram.texts


def test_a_silence_holds_it_back(programs: Path, telegram: Telegram, tmp_path: Path) -> None:
    text = WITHOUT_BEAT.replace("TELEGRAM", telegram.address)
    with alertmanager(programs, tmp_path, text) as port:
        silence = {
            "matchers": [{"name": "service", "value": "alertmanager", "isRegex": False}],
            "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z", "createdBy": "anna", "comment": "quiet",
        }  # fmt: skip
        url = f"http://{LOOPBACK}:{port}/api/v2/silences"
        assert answer(url, json.dumps(silence).encode()) is not None
        test = followed(tmp_path, text, Asked({9093: port}, {}))
    assert test.problem is not None
    assert test.problem.code == "test-alert-held-back"
    assert "a silence" in test.problem.detail


def test_a_prometheus_that_reaches_no_alertmanager_and_a_silent_switch_are_told(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    text = ORION.replace("token: telegram_token", f"token: telegram_token, api: '{telegram.address}'")  # fmt: skip
    none = json.dumps({"data": {"activeAlertmanagers": []}})
    told = {(9090, "/api/v1/alertmanagers"): none, (9095, "/metrics"): f"{BEAT} {time.time() - 4000}\n"}  # fmt: skip
    with alertmanager(programs, tmp_path, text) as port:
        test = followed(tmp_path, text, Asked({9093: port}, told), patience=10)
    assert outcomes(test) == ["failed", "failed", "seen", "seen", "seen"]
    assert test.steps[0].outcome is Outcome.FAILED
    assert test.problem is not None
    assert test.problem.code == "alerts-sent-nowhere"


def test_an_alertmanager_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    text = WITHOUT_BEAT.replace("TELEGRAM", "http://127.0.0.1:9")
    with pytest.raises(BackendError) as caught:
        followed(tmp_path, text, Asked({}, {}))
    assert caught.value.diagnostics[0].code == "service-not-answering"


def test_without_anybody_to_tell_there_is_nothing_to_test(tmp_path: Path) -> None:
    text = WITHOUT_BEAT.rpartition("    alerts:")[0]
    with pytest.raises(BackendError) as caught:
        followed(tmp_path, text, Asked({}, {}))
    assert caught.value.diagnostics[0].code == "nobody-told"
