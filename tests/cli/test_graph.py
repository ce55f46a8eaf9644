"""`freehold graph`, as typed."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Freehold


@pytest.fixture
def estate(freehold: Freehold) -> str:
    assert freehold("init", "estate").returncode == 0
    return "estate"


def test_it_draws_svg_of_what_the_file_says(freehold: Freehold, estate: str) -> None:
    done = freehold("-C", estate, "graph")
    assert done.returncode == 0, done.stderr
    shown = "".join(ET.fromstring(done.stdout).itertext())
    for name in ("admin", "perso", "pro", "homelab", "10.100.3.10"):
        assert name in shown


def test_it_draws_mermaid(freehold: Freehold, estate: str) -> None:
    done = freehold("-C", estate, "graph", "--format", "mermaid")
    assert done.returncode == 0
    assert done.stdout.startswith("flowchart TB\n")


@pytest.mark.parametrize(("name", "start"), [("a.svg", "<svg"), ("a.mmd", "flowchart")])
def test_the_files_name_decides(
    name: str, start: str, freehold: Freehold, estate: str, tmp_path: Path
) -> None:
    done = freehold("-C", estate, "graph", "--out", name)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / name).read_text().startswith(start)


def test_an_unknown_format_is_a_usage_error(freehold: Freehold, estate: str) -> None:
    done = freehold("-C", estate, "graph", "--format", "png")
    assert done.returncode == 64
    assert "mermaid" in done.stderr


def test_a_wrong_file_is_not_drawn(freehold: Freehold, tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text("freehold: 1\n")
    done = freehold("graph")
    assert (done.returncode, done.stdout) == (3, "")


def test_completion_knows_the_formats(freehold: Freehold) -> None:
    done = freehold(
        _FREEHOLD_COMPLETE="complete_bash", COMP_WORDS="freehold graph --format ", COMP_CWORD="3"
    )
    assert done.stdout.split() == ["svg", "mermaid"]
