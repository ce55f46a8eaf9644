"""Every folder of tests/cases/invalid gives exactly the diagnostics of its expected.json; every valid file gives none."""

import json
from pathlib import Path

import pytest

from freehold.config.codes import CODES
from freehold.config.load import load
from freehold.diagnostics import has_errors

CASES = Path(__file__).parents[2] / "cases"
INVALID = sorted(path.parent for path in (CASES / "invalid").glob("*/expected.json"))
VALID = sorted((CASES / "valid").glob("*.yml"))

SHOWN_ELSEWHERE = {
    "file-too-large",  # test_files
    "file-not-readable",  # test_files
    "not-a-folder",  # test_files
    "too-many-problems",  # test_yaml_reader
    "unknown-config-key",  # test_config_keys
}


def codes_of(case: Path) -> set[str]:
    return {entry["code"] for entry in json.loads((case / "expected.json").read_text())}


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_invalid_estate_gives_exactly_these_diagnostics(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = json.loads((case / "expected.json").read_text())
    monkeypatch.chdir(case)
    found = load(Path()).diagnostics
    keys = ("severity", "code", "file", "line", "column", "path")
    assert [{key: d.as_json()[key] for key in keys} for d in found] == [
        {key: entry[key] for key in keys} for entry in expected
    ]
    for diagnostic, entry in zip(found, expected, strict=True):
        assert entry.get("says", "") in f"{diagnostic.detail} {diagnostic.hint}"


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_an_error_leaves_no_model_and_a_warning_leaves_one(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    loaded = load(Path())
    assert (loaded.infra is None) == has_errors(loaded.diagnostics)


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.name)
def test_valid_estate_loads_without_errors(file: Path) -> None:
    loaded = load(file)
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    assert loaded.infra is not None


def test_every_code_is_shown_by_a_case() -> None:
    shown = set().union(*(codes_of(case) for case in INVALID))
    assert shown | SHOWN_ELSEWHERE == set(CODES)
    assert not shown & SHOWN_ELSEWHERE


def test_there_are_cases() -> None:
    assert len(INVALID) > 150
    assert len(VALID) >= 5


def test_the_blueprint_is_valid_and_gives_no_warning() -> None:
    import freehold

    loaded = load(Path(freehold.__file__).parent / "blueprints" / "workstation")
    assert loaded.diagnostics == ()
    assert loaded.infra is not None
    addresses = {machine.instance: str(machine.address) for machine in loaded.infra.machines()}
    assert addresses == {
        "admin-ansible": "10.100.0.10",
        "homelab-llm": "10.100.3.10",
        "perso-desktop": "10.100.1.10",
        "pro-dev": "10.100.2.10",
    }
