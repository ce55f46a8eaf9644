"""The last proof by packets, kept beside infra.yml."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from freehold.model import Policy, Protocol, Trust
from freehold.operations.traffic.kept import keep, kept
from tests.ui.estates import INFRA, traffic


def test_it_comes_back_as_it_was_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    measured = traffic(different=True)
    keep(tmp_path, measured.report, INFRA, measured.at)
    assert kept(tmp_path) == measured
    (path,) = (tmp_path / ".freehold").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_newer_one_takes_the_place_of_the_older(tmp_path: Path) -> None:
    keep(tmp_path, traffic(different=True).report, INFRA)
    keep(tmp_path, traffic().report, INFRA)
    found = kept(tmp_path)
    assert found is not None
    assert found.report.as_declared


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"schema": 3, "at": "x", "report": {}}',
        '{"schema": 1, "at": "2026-03-01T14:03:22+00:00", "report": {}}',
        '{"schema": 2, "at": "never", "report": {}}',
    ],
)
def test_what_cannot_be_read_is_as_if_nothing_was_measured(tmp_path: Path, text: str) -> None:
    assert kept(tmp_path) is None
    keep(tmp_path, traffic().report, INFRA)
    (tmp_path / ".freehold" / "traffic.json").write_text(text)
    assert kept(tmp_path) is None


def test_a_field_that_went_away_is_no_crash(tmp_path: Path) -> None:
    keep(tmp_path, traffic().report, INFRA)
    path = tmp_path / ".freehold" / "traffic.json"
    document = json.loads(path.read_text())
    document["report"]["results"][0]["check"]["colour"] = "blue"
    path.write_text(json.dumps(document))
    assert kept(tmp_path) is None


def test_it_is_of_the_domains_and_policies_that_there_were(tmp_path: Path) -> None:
    keep(tmp_path, traffic().report, INFRA)
    found = kept(tmp_path)
    assert found is not None
    assert found.is_of(INFRA)
    admin, home = INFRA.domains
    assert found.is_of(replace(INFRA, domains=(admin, replace(home, machines=home.machines[:1]))))
    for changed in (
        replace(INFRA, domains=(admin, replace(home, internet=False))),
        replace(INFRA, domains=(admin, replace(home, trust=Trust.UNTRUSTED))),
        replace(INFRA, policies=(Policy(source="home", target="admin", protocol=Protocol.ICMP),)),
    ):
        assert not found.is_of(changed)
