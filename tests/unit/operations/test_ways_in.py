"""What is asked of admin machines and of the operator's terminal around a change of rules, without packets."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from freehold.diagnostics import BackendError
from freehold.operations.ways_in import AdminReach, OperatorWayIn
from freehold.system import terminal
from freehold.system.incus.api import ExecResult, Incus
from freehold.system.incus.fake import FakeIncus

ZONES = {
    "admin": {"admin": True, "subnet": "10.100.0.0/24"},
    "perso": {"admin": False, "subnet": "10.100.1.0/24"},
    "pro": {"admin": False, "subnet": "10.100.2.0/24"},
}
FIELDS = {"table": "freehold-maison", "zones": ZONES}


def instance(domain: str, name: str, number: int, **other: Any) -> dict[str, Any]:
    addresses = {"admin": 0, "perso": 1, "pro": 2, "theirs": 9}
    return {
        "project": domain,
        "name": f"{domain}-{name}",
        "status": "Running",
        "config": {"user.freehold.estate": "maison"},
        "expanded_devices": {"eth0": {"ipv4.address": f"10.100.{addresses[domain]}.{number}"}},
        **other,
    }


class Machines(FakeIncus):
    """Machines that answer for themselves: `deaf` are the addresses that nobody reaches. `asked` is who was asked for what."""

    def __init__(self, *instances: dict[str, Any]) -> None:
        super().__init__()
        self.instances = list(instances)
        self.deaf: set[str] = set()
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.exit_code = 0

    async def get(self, path: str, **query: str) -> Any:
        assert (path, query["all-projects"]) == ("/instances", "true")
        return self.instances

    async def execute(
        self, project: str, instance: str, command: Sequence[str], *, timeout: float = 30.0
    ) -> ExecResult:
        request: Mapping[str, Any] = json.loads(command[-1])
        addresses = tuple(check[2] for check in request["checks"])
        self.asked.append((instance, addresses))
        answered = [check[0] for check in request["checks"] if check[2] not in self.deaf]
        return ExecResult(self.exit_code, json.dumps({"answered": answered}), "")


def around(incus: Incus, change: Any = None, fields: Any = None) -> list[str]:
    """Ask before and after `change`; what was reported."""
    said: list[str] = []

    async def work() -> None:
        reach = AdminReach(incus)
        await reach.before(fields or FIELDS, said.append)
        if change is not None:
            change()
        await reach.after(said.append)

    asyncio.run(work())
    return said


def estate() -> Machines:
    return Machines(
        instance("pro", "web", 11),
        instance("pro", "dev", 10),
        instance("perso", "desk", 10),
        instance("admin", "ctl", 10),
    )


def test_each_admin_machine_tries_one_machine_of_every_other_domain() -> None:
    incus = estate()
    around(incus)
    tried = ("10.100.1.10", "10.100.1.10", "10.100.2.10", "10.100.2.10")
    assert incus.asked == [("admin-ctl", tried), ("admin-ctl", tried)], "by ICMP and by TCP"


def test_what_is_lost_is_named_with_both_ends_after_several_tries() -> None:
    incus = estate()
    with pytest.raises(BackendError) as lost:
        around(incus, lambda: incus.deaf.add("10.100.2.10"))
    told = lost.value.diagnostics[0]
    assert told.code == "way-in-lost"
    assert told.detail.splitlines() == [
        "No longer reached: admin/ctl to pro/dev (10.100.2.10) by ICMP.",
        "No longer reached: admin/ctl to pro/dev (10.100.2.10) by TCP.",
    ]
    assert len(incus.asked) == 4, "three tries"
    assert incus.asked[-1][1] == ("10.100.2.10", "10.100.2.10"), "of what is missing only"


def test_who_was_not_reached_before_is_not_asked_again() -> None:
    incus = estate()
    incus.deaf.add("10.100.2.10")
    around(incus)
    assert incus.asked[1] == ("admin-ctl", ("10.100.1.10", "10.100.1.10"))


def test_a_machine_that_stopped_meanwhile_is_not_lost() -> None:
    incus = estate()

    def stop() -> None:
        incus.deaf.add("10.100.2.10")
        incus.instances[1]["status"] = "Stopped"

    around(incus, stop)


def test_a_machine_in_which_nothing_runs_any_more_says_nothing_about_rules() -> None:
    incus = estate()
    around(incus, lambda: setattr(incus, "exit_code", 127))


@pytest.mark.parametrize(
    "instances",
    [
        [instance("perso", "desk", 10), instance("pro", "dev", 10)],
        [instance("admin", "ctl", 10)],
        [instance("admin", "ctl", 10), instance("pro", "dev", 10, status="Stopped")],
        [instance("admin", "ctl", 10), instance("theirs", "box", 10)],
        [instance("admin", "ctl", 10), instance("pro", "dev", 10, config={})],
        [instance("admin", "ctl", 10), instance("pro", "dev", 10, expanded_devices={})],
    ],
)
def test_nothing_to_check_is_said(instances: list[dict[str, Any]]) -> None:
    incus = Machines(*instances)
    assert around(incus) == [
        "admin's reach: nothing to check (no admin machine runs, or nobody else does)"
    ]
    assert incus.asked == []


def test_a_domain_that_is_not_to_be_admin_is_not_asked() -> None:
    incus = estate()
    fields = {**FIELDS, "zones": {**ZONES, "admin": {**ZONES["admin"], "admin": False}}}
    around(incus, fields=fields)
    assert incus.asked == []


class Terminal:
    """A terminal that gives these answers, one after the other."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.questions = 0

    async def answer(self, seconds: float, *, ask: bool = True) -> bool:
        self.questions += ask
        return self.answers.pop(0)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr(terminal, "unanswerable", lambda: "")
    monkeypatch.setattr(terminal, "answers", made.answer)
    return made


def operator(connection: str = "") -> list[str]:
    said: list[str] = []

    async def work() -> None:
        way = OperatorWayIn(4.0, connection)
        await way.before(FIELDS, said.append)
        try:
            await way.after(said.append)
        except BackendError:
            await way.undone(said.append)
            raise

    asyncio.run(work())
    return said


def test_a_terminal_that_answers_twice_is_well(shown: Terminal) -> None:
    shown.answers = [True, True]
    operator()
    assert shown.questions == 2


def test_one_that_does_not_answer_at_first_is_not_measured(shown: Terminal) -> None:
    shown.answers = [False]
    assert operator() == ["your terminal: not measured (it does not answer)"]
    assert shown.questions == 1


@pytest.mark.parametrize(
    ("connection", "policy"),
    [
        ("10.100.1.10 50000 10.100.1.1 2222", "{from: perso, to: host, ports: [2222]}"),
        ("203.0.113.9 50000 198.51.100.1 22", "{from: admin, to: host, ports: [22]}"),
        ("", "{from: admin, to: host, ports: [22]}"),
        ("nonsense", "{from: admin, to: host, ports: [22]}"),
    ],
)
def test_one_that_stops_answering_is_told_which_policy_is_missing(
    shown: Terminal, connection: str, policy: str
) -> None:
    shown.answers = [True, False, True]
    with pytest.raises(BackendError) as lost:
        operator(connection)
    told = lost.value.diagnostics[0]
    assert told.code == "way-in-lost"
    assert told.detail == "Your terminal did not answer for 4 s: what it sends no longer arrives."
    assert told.hint is not None
    assert policy in told.hint
    assert shown.answers == [], "its late answer was taken"
    assert shown.questions == 2
