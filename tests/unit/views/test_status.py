"""The machines as they are, for people and for scripts."""

import json
from dataclasses import replace
from io import StringIO

import pytest

from freehold.operations.machine_status import Status
from freehold.views.status import render_status, status_document
from tests.unit.views.conftest import CASES, Golden
from tests.unit.views.estates import (
    ADMIN,
    AS_DECLARED,
    DRIFTED,
    WITH_HOSTS,
    WITH_SERVICES,
)


def rendered(status: Status) -> str:
    stream = StringIO()
    render_status(status, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "status", "width"),
    [
        ("as-declared", AS_DECLARED, None),
        ("drifted", DRIFTED, None),
        ("drifted-95-columns", DRIFTED, "95"),
        ("drifted-20-columns", DRIFTED, "20"),
        ("empty", Status(estate="maison"), None),
        ("hosts", WITH_HOSTS, None),
        ("hosts-60-columns", WITH_HOSTS, "60"),
        ("services", WITH_SERVICES, None),
    ],
)
def test_a_whole_table(
    golden: Golden, monkeypatch: pytest.MonkeyPatch, name: str, status: Status, width: str | None
) -> None:
    if width:
        monkeypatch.setenv("COLUMNS", width)
    golden(f"status-{name}", lambda stream: render_status(status, stream))


def test_of_what_nobody_looked_at_it_is_not_said_that_it_does_not_serve() -> None:
    dark = replace(WITH_SERVICES.services[0], state="unknown", serves=False)
    last = rendered(replace(WITH_SERVICES, services=(dark,))).splitlines()[-1]
    assert "db not known" in last
    assert "not serving" not in last


def test_a_problem_of_two_lines_is_two_lines() -> None:
    told = "cortex (debian@203.0.113.20, port 22): banner exchange\ncortex (root@203.0.113.20, port 22): refused"
    away = replace(WITH_HOSTS.hosts[0], problem=told)
    text = rendered(replace(WITH_HOSTS, hosts=(away,)))
    assert "\\n" not in text
    assert told in text


def test_json_keeps_the_contract() -> None:
    document = status_document(DRIFTED)
    assert json.loads((CASES / "status.json").read_text(encoding="utf-8")) == json.loads(
        json.dumps(document)
    )
    contract = {"name", "domain", "type", "state", "declared_address", "addresses", "drift"}
    assert all(contract <= machine.keys() for machine in document["machines"])


def test_json_has_the_hosts() -> None:
    cortex, hippocampus, _ = status_document(WITH_HOSTS)["hosts"]
    assert cortex == {
        "name": "cortex",
        "address": "203.0.113.20",
        "user": "orion",
        "port": 2222,
        "state": "reachable",
        "system": "Debian GNU/Linux 13 (trixie)",
        "problem": "",
        "drift": ["apt", "variables.host_vars/cortex.yml"],
    }
    assert hippocampus["state"] == "unreachable"
    assert hippocampus["problem"]


def test_a_service_that_does_not_serve_is_named_at_the_end() -> None:
    text = rendered(WITH_SERVICES)
    assert "site not serving" in text
    healthy = replace(WITH_SERVICES, services=WITH_SERVICES.services[:1], changes=0)
    assert "Everything is as infra.yml says." in rendered(healthy)


def test_another_address_than_declared_is_said_in_words() -> None:
    wrong = replace(ADMIN, addresses=("10.100.0.204",))
    text = rendered(Status(estate="maison", machines=(wrong,)))
    assert "10.100.0.10 (has 10.100.0.204)" in text
    assert "Everything is as infra.yml says" not in text
    assert "admin/ansible without the declared address" in text


def test_a_machine_without_any_address_is_said_in_words() -> None:
    assert "(has no address)" in rendered(
        Status(estate="maison", machines=(replace(ADMIN, addresses=()),))
    )


def test_a_machine_is_one_line_where_nothing_limits_the_width() -> None:
    """So that `freehold status | grep` finds it whole."""
    many = replace(ADMIN, drift=tuple(f"config.environment.VARIABLE_{n}" for n in range(20)))
    (line,) = [
        line
        for line in rendered(Status(estate="m", machines=(many,))).splitlines()
        if "admin" in line
    ]
    assert "VARIABLE_3, … and 16 more" in line
    assert line.endswith("debian/13")


def test_names_are_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert "homelab/[red]web\n" in rendered(DRIFTED)
