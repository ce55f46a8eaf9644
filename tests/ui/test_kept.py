"""The last proof by packets, kept beside infra.yml."""

import json
from pathlib import Path

import pytest

from freehold.operations.traffic.kept import keep, kept
from tests.ui.estates import traffic


def test_it_comes_back_as_it_was_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    measured = traffic(different=True)
    keep(tmp_path, measured.report, measured.at)
    assert kept(tmp_path) == measured
    (path,) = (tmp_path / ".freehold").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_newer_one_takes_the_place_of_the_older(tmp_path: Path) -> None:
    keep(tmp_path, traffic(different=True).report)
    keep(tmp_path, traffic().report)
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
        '{"schema": 2, "at": "x", "report": {}}',
        '{"schema": 1, "at": "never", "report": {}}',
    ],
)
def test_what_cannot_be_read_is_as_if_nothing_was_measured(tmp_path: Path, text: str) -> None:
    assert kept(tmp_path) is None
    keep(tmp_path, traffic().report)
    (tmp_path / ".freehold" / "traffic.json").write_text(text)
    assert kept(tmp_path) is None


def test_a_field_that_went_away_is_no_crash(tmp_path: Path) -> None:
    keep(tmp_path, traffic().report)
    path = tmp_path / ".freehold" / "traffic.json"
    document = json.loads(path.read_text())
    document["report"]["results"][0]["check"]["colour"] = "blue"
    path.write_text(json.dumps(document))
    assert kept(tmp_path) is None
