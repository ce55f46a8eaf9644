"""`freehold alerts test` with a real Prometheus, Alertmanager and dead man's switch, and a stand-in for Telegram's API.

Docker alone is not asked, for programs run on loopback; and what comes once a minute comes each second.
"""

import asyncio
import itertools
import json
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from freehold.diagnostics import BackendError
from freehold.operations.alert_test.steps import AlertTest, Outcome, Step
from freehold.operations.alert_test.way import send_test_alert
from freehold.system.targets.api import Ended
from freehold.system.targets.fake import FakeTarget
from tests.monitoring.estate import entries, rendered
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
WHOLE = """
    freehold: 1
    name: orion
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      prometheus: {on: cortex, settings: {interval: 1s}}
      alertmanager: {on: cortex}
      watchman: {on: synapse, service: dead-man}
    alerts: {telegram: {chat: "-100", token: telegram_token, api: "TELEGRAM"}}
    """
CLOSED = 9  # a port at which nobody listens
WRONG = 'groups: [{name: wrong, rules: [{alert: Wrong, expr: \'label_replace(vector(1), "a", "", "b", "(")\'}]}]\n'


@dataclass
class Asked:
    """A target's Python: asks what runs on loopback, by the port that it has in its container."""

    ports: Mapping[int, int]

    def __call__(self, command: Sequence[str], given: bytes) -> Ended | None:
        if command[0] != "python3":
            return None
        asked = json.loads(given)
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
def alertmanager(programs: Path, folder: Path, text: str, beats_at: int = CLOSED, features: bool = True) -> Iterator[int]:  # fmt: skip
    """Alertmanager with the rendered configuration, on its port; its beat goes to another one, each second."""
    configured = rendered(folder, text)["alertmanager"]
    files, port = laid(folder / "files", {path: _each_second(each, beats_at) for path, each in configured.items()}), free_port()  # fmt: skip
    words = entries(folder, text)["alertmanager"]["command"]
    argv = with_debian(
        programs,
        "prometheus-alertmanager",
        f"--config.file={files}/etc/alertmanager/alertmanager.yml",
        f"--storage.path={folder}/state",
        "--cluster.listen-address=",
        f"--web.listen-address={LOOPBACK}:{port}",
        *(each for each in words if features and each.startswith("--enable-feature=")),
    )
    with running(folder, *argv):
        wait_for(lambda: answer(f"http://{LOOPBACK}:{port}/-/ready"), "Alertmanager is ready")
        yield port


def _each_second(text: str, beats_at: int) -> str:
    text = text.replace("203.0.113.21:9095", f"{LOOPBACK}:{beats_at}")
    return text.replace("group_interval: 1m", "group_interval: 1s").replace("repeat_interval: 50s", "repeat_interval: 1s")  # fmt: skip


@contextmanager
def prometheus(programs: Path, folder: Path, text: str, tells: int, rules: str = "") -> Iterator[int]:  # fmt: skip
    """Prometheus with the rendered configuration, on its port; just started, as far as that it answers. `tells` is Alertmanager's port."""
    configured = rendered(folder, text)["prometheus"]
    files = laid(folder / "asks", {path: each.replace("alertmanager:9093", f"{LOOPBACK}:{tells}") for path, each in configured.items()})  # fmt: skip
    if rules:
        (files / "etc/prometheus/rules/more.yml").write_text(rules)
    port = free_port()
    argv = with_debian(
        programs,
        "prometheus",
        f"--config.file={files}/etc/prometheus/prometheus.yml",
        f"--storage.tsdb.path={folder}/series",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--rules.alert.resend-delay=1s",
    )
    with running(folder / "asks", *argv):
        wait_for(lambda: answer(f"http://{LOOPBACK}:{port}/-/ready"), "Prometheus is ready")
        yield port


@contextmanager
def watchman(folder: Path, text: str, port: int) -> Iterator[None]:
    """The dead man's switch at a port."""
    program = laid(folder / "watchman", rendered(folder, text)["watchman"]) / "app/dead_man.py"
    variables = entries(folder, text)["watchman"]["environment"]
    here = {
        "DEAD_MAN_ADDRESS": LOOPBACK,
        "DEAD_MAN_PORT": str(port),
        "DEAD_MAN_STATE": str(folder / "state.json"),
        "DEAD_MAN_TOKEN_FILE": "",
    }
    with running(folder / "watchman", sys.executable, program, **{**variables, **here}):
        wait_for(lambda: answer(f"http://{LOOPBACK}:{port}/health"), "the watchman is ready")
        yield


@dataclass
class Chain:
    """All that is on the way, as far as it is to run. `tells`: where Prometheus looks for Alertmanager, `beats` to whom that beats."""

    programs: Path
    folder: Path
    text: str
    tells: int | None = None
    rules: str = ""
    beats: bool = True

    def followed(self, patience: float = 60) -> AlertTest:
        port = free_port()
        with ExitStack() as stack:
            stack.enter_context(watchman(self.folder, self.text, port))
            beats_at = port if self.beats else CLOSED
            main = stack.enter_context(alertmanager(self.programs, self.folder, self.text, beats_at))  # fmt: skip
            tells = self.tells or main
            asks = stack.enter_context(prometheus(self.programs, self.folder, self.text, tells, self.rules))  # fmt: skip
            return followed(self.folder, self.text, Asked({9090: asks, 9093: main, 9095: port}), patience)  # fmt: skip


@pytest.fixture
def chain(programs: Path, telegram: Telegram, tmp_path: Path) -> Chain:
    return Chain(programs, tmp_path, WHOLE.replace("TELEGRAM", telegram.address))


def followed(folder: Path, text: str, asked: Asked, patience: float = 60) -> AlertTest:
    """The whole way; what is told is what the test has."""
    told: list[Step] = []
    infra = infra_of(folder, text)
    test = asyncio.run(send_test_alert(infra, Targets(asked), patience, told.append))
    assert told == test.steps
    return test


def outcomes(test: AlertTest) -> list[str]:
    return [step.outcome.value for step in test.steps]


def test_an_alert_is_followed_until_it_is_over(chain: Chain, telegram: Telegram) -> None:
    """Prometheus has only just been started, and knows no Alertmanager and no rule yet."""
    test = chain.followed()
    assert test.arrived, test
    assert outcomes(test) == ["seen"] * 5
    assert test.steps[0].detail.endswith("rules are evaluated, and its alert `Watchdog` came")
    assert test.steps[3].detail == "its API answered that it has it"
    first, last = telegram.texts
    assert first.startswith("🟡 warning · alertmanager on cortex\nA test by `freehold alerts test`")
    assert last.startswith("✅ over · alertmanager on cortex\n")
    since = first.splitlines()[2].removeprefix("since ").removesuffix(" UTC")
    began = datetime.strptime(f"{since} {datetime.now(UTC).year} +0000", "%d %b %H:%M %Y %z")
    assert began <= datetime.now(UTC), "nothing begins in the future"


@pytest.mark.slow
def test_what_does_not_come_to_alertmanager_is_not_seen(chain: Chain) -> None:
    """It is configured, discovered, and nobody listens there; so there is no beat either."""
    chain.tells = CLOSED
    test = chain.followed(patience=20)
    assert outcomes(test) == ["failed", "failed", "seen", "seen", "seen"]
    assert test.problem is not None
    assert test.problem.code == "alerts-not-arriving"
    assert "within 20 seconds" in test.steps[1].detail


@pytest.mark.slow
def test_a_switch_that_no_beat_comes_to_does_not_hear_it(chain: Chain) -> None:
    """Also not in its first minutes, in which it is content."""
    chain.beats = False
    test = chain.followed(patience=20)
    assert outcomes(test) == ["seen", "failed", "seen", "seen", "seen"]
    assert test.problem is not None
    assert test.problem.code == "beat-not-heard"


@pytest.mark.slow
def test_a_rule_that_cannot_be_evaluated_is_named(chain: Chain) -> None:
    chain.rules = WRONG
    test = chain.followed()
    assert test.steps[0].outcome is Outcome.FAILED
    assert "does not evaluate 1 of its rules: Wrong" in test.steps[0].detail
    assert test.problem is not None
    assert test.problem.code == "alert-rules-broken"


def test_the_message_of_another_alert_is_not_the_tests(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    telegram.deaf_to = "freehold alerts test"
    text = WITHOUT_BEAT.replace("TELEGRAM", telegram.address).replace("alertmanager: {on: cortex}", "alertmanager: {on: cortex, settings: {wait: 1s}}")  # fmt: skip
    over = threading.Event()

    def others(port: int) -> None:
        for number in itertools.count():
            alert = {"labels": {"alertname": "HostDown", "severity": "critical", "target": f"t{number}"}, "annotations": {"summary": "x"}}  # fmt: skip
            answer(f"http://{LOOPBACK}:{port}/api/v2/alerts", json.dumps([alert]).encode())
            if over.wait(0.3):
                return

    with alertmanager(programs, tmp_path, text) as port:
        busy = threading.Thread(target=others, args=(port,))
        busy.start()
        try:
            wait_for(lambda: telegram.texts, "messages of others")
            test = followed(tmp_path, text, Asked({9093: port}))
        finally:
            over.set()
            busy.join()
    assert outcomes(test) == ["not measured", "not measured", "seen", "failed"]
    assert test.problem is not None
    assert test.problem.code == "test-alert-refused"
    assert len(telegram.texts) > 1


@pytest.mark.slow
def test_an_alertmanager_that_does_not_tell_messages_apart_has_a_message(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    text = WITHOUT_BEAT.replace("TELEGRAM", telegram.address)
    with alertmanager(programs, tmp_path, text, features=False) as port:
        test = followed(tmp_path, text, Asked({9093: port}))
    assert test.arrived
    assert test.steps[3].detail == "its API answered that it has a message, which may be that of another alert"  # fmt: skip


def test_what_telegram_refuses_did_not_arrive(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    telegram.broken = True
    text = WITHOUT_BEAT.replace("TELEGRAM", telegram.address)
    with alertmanager(programs, tmp_path, text) as port:
        test = followed(tmp_path, text, Asked({9093: port}))
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
        test = followed(tmp_path, text, Asked({9093: port}))
    assert test.problem is not None
    assert test.problem.code == "test-alert-held-back"
    assert "a silence" in test.problem.detail


@pytest.mark.slow
def test_a_prometheus_that_knows_no_alertmanager_is_told(
    programs: Path, telegram: Telegram, tmp_path: Path
) -> None:
    text = WHOLE.replace("TELEGRAM", telegram.address)
    alone = text.replace("      alertmanager: {on: cortex}\n", "")
    (tmp_path / "alone").mkdir()
    with alertmanager(programs, tmp_path, text) as main, prometheus(programs, tmp_path / "alone", alone, main) as asks:  # fmt: skip
        test = followed(tmp_path, text, Asked({9090: asks, 9093: main}))
    assert outcomes(test) == ["failed", "failed", "seen", "seen", "seen"]
    assert test.problem is not None
    assert test.problem.code == "alerts-sent-nowhere"
    assert "its container does not run" in test.steps[1].detail


def test_an_alertmanager_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    text = WITHOUT_BEAT.replace("TELEGRAM", "http://127.0.0.1:9")
    with pytest.raises(BackendError) as caught:
        followed(tmp_path, text, Asked({}))
    assert caught.value.diagnostics[0].code == "service-not-answering"


def test_without_anybody_to_tell_there_is_nothing_to_test(tmp_path: Path) -> None:
    text = WITHOUT_BEAT.rpartition("    alerts:")[0]
    with pytest.raises(BackendError) as caught:
        followed(tmp_path, text, Asked({}))
    assert caught.value.diagnostics[0].code == "nobody-told"
