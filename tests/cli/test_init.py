"""`freehold init`, as typed."""

import json
from pathlib import Path

from tests.cli.conftest import Freehold


def test_it_makes_a_folder_whose_next_commands_work(freehold: Freehold, tmp_path: Path) -> None:
    done = freehold("init", "estate", "--name", "maison")
    assert done.returncode == 0, done.stderr
    assert "freehold -C estate plan" in done.stderr
    assert {path.name for path in (tmp_path / "estate").iterdir()} == {
        "infra.yml",
        "infra.schema.json",
        ".gitignore",
    }
    assert freehold("-C", "estate", "validate").returncode == 0
    assert "name: maison\n" in (tmp_path / "estate" / "infra.yml").read_text()


def test_without_a_folder_it_is_this_one(freehold: Freehold, tmp_path: Path) -> None:
    assert freehold("init").returncode == 0
    assert (tmp_path / "infra.yml").exists()


def test_the_folder_is_seen_from_the_one_of_c(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert freehold("-C", "a", "init", "b").returncode == 0
    assert (tmp_path / "a" / "b" / "infra.yml").exists()


def test_the_second_time_it_refuses_and_names_the_files(freehold: Freehold) -> None:
    freehold("init", "estate")
    done = freehold("init", "estate")
    assert done.returncode == 1
    assert "estate/infra.yml" in done.stderr
    assert "estate/infra.schema.json" in done.stderr


def test_an_unknown_blueprint_is_a_usage_error(freehold: Freehold) -> None:
    done = freehold("init", "estate", "--blueprint", "worksation")
    assert done.returncode == 64
    assert "Did you mean `workstation`?" in done.stderr


def test_the_list_names_every_blueprint(freehold: Freehold) -> None:
    listed = json.loads(freehold("init", "--list", "--json").stdout)
    assert listed["schema"] == 1
    assert "workstation" in [blueprint["name"] for blueprint in listed["blueprints"]]
    done = freehold("init", "--list")
    assert done.stdout.startswith("workstation  One computer")


def test_a_folder_with_a_space_can_be_copied_from_what_is_said(freehold: Freehold) -> None:
    assert "-C 'my estate' plan" in freehold("init", "my estate").stderr


def test_completion_knows_the_blueprints(freehold: Freehold) -> None:
    done = freehold(
        _FREEHOLD_COMPLETE="complete_bash", COMP_WORDS="freehold init --blueprint w", COMP_CWORD="3"
    )
    assert done.stdout.split() == ["workstation"]
