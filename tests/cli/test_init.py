"""`freehold init`, as typed."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, Done, Freehold

TARGETS = "sync sync-dry apply plan snap snap-restore snap-list snap-delete lint test"


def test_it_makes_a_folder_whose_next_commands_work(freehold: Freehold, tmp_path: Path) -> None:
    done = freehold("init", "estate", "--name", "maison")
    assert done.returncode == 0, done.stderr
    assert "freehold -C estate plan" in done.stderr
    assert {path.name for path in (tmp_path / "estate").iterdir()} == {
        "infra.yml",
        "infra.schema.json",
        ".gitignore",
        "Makefile",
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
    assert [blueprint["name"] for blueprint in listed["blueprints"]] == [
        "llm",
        "orion",
        "workstation",
    ]
    done = freehold("init", "--list")
    assert "\nworkstation  One computer" in done.stdout


def test_a_folder_with_a_space_can_be_copied_from_what_is_said(freehold: Freehold) -> None:
    assert "-C 'my estate' plan" in freehold("init", "my estate").stderr


def test_completion_knows_the_blueprints(freehold: Freehold) -> None:
    done = freehold(
        _FREEHOLD_COMPLETE="complete_bash", COMP_WORDS="freehold init --blueprint w", COMP_CWORD="3"
    )
    assert done.stdout.split() == ["workstation"]


def make(folder: Path, *words: str, only: str = "") -> Done:
    """`make` as typed, with the program of this environment found first. `only`: the PATH instead."""
    environment = {
        **os.environ,
        "PATH": only or f"{PROGRAM.parent}:{os.environ['PATH']}",
        "INCUS_SOCKET": str(folder / "no-incus"),
    }
    return subprocess.run(
        ["make", "-C", str(folder), "--no-print-directory", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_make_without_a_word_lists_what_can_be_typed(freehold: Freehold, tmp_path: Path) -> None:
    freehold("init")
    done = make(tmp_path)
    assert done.returncode == 0
    assert set(re.findall(r"(?m)^  make ([a-z-]+) ", done.stdout)) == {"help", *TARGETS.split()}


@pytest.mark.slow
def test_the_words_of_make_are_the_verbs(freehold: Freehold, tmp_path: Path) -> None:
    freehold("init")
    assert "Plan: 14 to create" in make(tmp_path, "sync-dry").stdout
    assert not (tmp_path / "site.yml").exists()
    assert make(tmp_path, "sync").returncode == 0
    assert (tmp_path / "site.yml").exists()
    assert "Nothing to do" in make(tmp_path, "sync-dry").stdout
    assert '"kind": "plan"' in make(tmp_path, "sync-dry", "ARGS=--json").stdout
    for word in ("plan", "apply", "test"):
        done = make(tmp_path, word)
        assert done.returncode == 2
        assert "no-incus" in done.stderr


def test_make_lint_without_ansible_lint_says_what_was_left_out(
    freehold: Freehold, tmp_path: Path
) -> None:
    freehold("init")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "freehold").symlink_to(PROGRAM)
    done = make(tmp_path, "lint", only=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    assert "ansible-lint is not installed" in done.stderr
    (tmp_path / "infra.yml").write_text("freehold: 1\n")
    assert make(tmp_path, "lint").returncode == 2


@pytest.mark.parametrize("word", ["snap", "snap-restore", "snap-list", "snap-delete"])
def test_make_hands_snapshots_to_the_verb(freehold: Freehold, tmp_path: Path, word: str) -> None:
    freehold("init")
    done = make(tmp_path, word)
    assert done.returncode == 2
    needs_a_target = word in {"snap-restore", "snap-delete"}
    assert ("no-target" if needs_a_target else "no-incus") in done.stderr
    shown = make(tmp_path, "-n", word, "ON=homelab/llm", "NAME=before").stdout
    verb = {"snap": "create"}.get(word, word.removeprefix("snap-"))
    assert f"freehold snapshot {verb} homelab/llm" in shown.replace("\\\n", "")


def test_a_makefile_that_is_there_stays(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("mine:\n")
    done = freehold("init")
    assert done.returncode == 0
    assert "Makefile" not in done.stdout
    assert (tmp_path / "Makefile").read_text() == "mine:\n"
