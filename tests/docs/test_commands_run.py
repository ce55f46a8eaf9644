"""What the papers show is what happens: every ```console block is run in a lab, and its output compared."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks, name, papers
from tests.docs.transcript import Place, comparable, play

_SHOWING = [path for path in papers() if any(b.language == "console" for b in blocks(path))]
_ALWAYS = {"README.md", "docs/tutorial/first-estate.md"}


def _page(path: Path) -> object:
    marks = [pytest.mark.lab] + ([] if name(path) in _ALWAYS else [pytest.mark.slow])
    return pytest.param(path, id=name(path), marks=marks)


@pytest.mark.parametrize("path", [_page(path) for path in _SHOWING])
def test_a_paper_shows_what_its_commands_print(path: Path, place: Place) -> None:
    for block, command, shown, real in play(path, place):
        assert comparable(real) == comparable(shown), (
            f"{name(path)}, after line {block.first_line}: `{command}` prints something else. If that is right: "
            f"python -m tests.docs.transcript {name(path)}"
        )
