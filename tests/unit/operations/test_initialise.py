"""A new estate's folder: complete, valid, and never written over anything."""

import json
from pathlib import Path

import pytest

from freehold.config.load import load
from freehold.diagnostics import ExitCode, FreeholdError, UsageError
from freehold.operations.blueprints import blueprints
from freehold.operations.initialise import initialise


@pytest.mark.parametrize("name", blueprints())
def test_every_blueprint_makes_a_valid_estate(name: str, tmp_path: Path) -> None:
    made = initialise(tmp_path / "new" / "estate", name)
    found = load(made.folder)
    assert found.infra is not None
    assert found.diagnostics == ()
    assert made.state_ignored


def test_every_blueprint_says_what_it_is() -> None:
    for blueprint in blueprints().values():
        assert len(blueprint.summary) > 10
        assert "yaml-language-server" not in blueprint.summary


def test_the_schema_that_the_first_line_names_is_there(tmp_path: Path) -> None:
    initialise(tmp_path)
    first = (tmp_path / "infra.yml").read_text().splitlines()[0]
    schema = tmp_path / first.removeprefix("# yaml-language-server: $schema=")
    assert "domains" in json.loads(schema.read_text())["properties"]


def test_the_name_replaces_the_blueprints(tmp_path: Path) -> None:
    initialise(tmp_path, name="maison")
    infra = load(tmp_path).infra
    assert infra is not None
    assert infra.name == "maison"


@pytest.mark.parametrize("name", ["Maison", "a b", "-a", "a: b", "", "x" * 64])
def test_an_impossible_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        initialise(tmp_path / "new", name=name)
    assert not (tmp_path / "new").exists()


def test_an_unknown_blueprint_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        initialise(tmp_path / "new", "workstaton")
    assert "`workstation`" in (caught.value.diagnostics[0].hint or "")
    assert not (tmp_path / "new").exists()


def test_existing_files_are_named_and_stay(tmp_path: Path) -> None:
    for name in ("infra.yml", "infra.schema.json"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(FreeholdError) as caught:
        initialise(tmp_path)
    assert caught.value.exit_code is ExitCode.FAILED
    said = " ".join(diagnostic.detail for diagnostic in caught.value.diagnostics)
    assert "infra.yml" in said
    assert "infra.schema.json" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["infra.schema.json", "infra.yml"]
    assert (tmp_path / "infra.yml").read_text() == "mine"


def test_a_broken_link_counts_as_existing(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").symlink_to("nowhere")
    with pytest.raises(FreeholdError, match="exists"):
        initialise(tmp_path)
    assert (tmp_path / "infra.yml").is_symlink()


@pytest.mark.parametrize(
    ("text", "ignored"), [("*.log\n", False), ("/.freehold/\n", True), (".freehold\n", True)]
)
def test_the_gitignore_of_a_repository_stays(text: str, ignored: bool, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(text)
    made = initialise(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == text
    assert made.state_ignored is ignored
    assert ".gitignore" not in made.written


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "estate").write_text("mine")
    with pytest.raises(FreeholdError, match="not a folder"):
        initialise(tmp_path / "estate")


def test_nothing_is_left_behind_when_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FreeholdError, match="cannot be written"):
        initialise(tmp_path / "file" / "estate")
    too_long = tmp_path / "new" / ("x" * 300)
    with pytest.raises(FreeholdError, match="cannot be written"):
        initialise(too_long)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
