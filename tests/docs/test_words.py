"""The papers are plain: no advertising, nobody's own folders, no line that a reader must scroll for."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, name, papers, prose

_WRITTEN = [path for path in papers() if path.parent != ROOT / "docs" / "decisions"]
_ADVERTISING = re.compile(
    r"\b(?:blazing(?:ly)?|cutting.edge|effortless(?:ly)?|game.chang\w+|leverag\w+|next.gen\w*|powerful|robust"
    r"|seamless(?:ly)?|simply|state.of.the.art|super.?charge\w*|unleash\w*|world.class)\b",
    re.IGNORECASE,
)
_FOLDER = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|mnt|Users)/\w+")
_CODE_WIDTH = 130  # a command to copy is shown whole


@pytest.mark.parametrize("path", _WRITTEN, ids=name)
def test_no_advertising(path: Path) -> None:
    assert _ADVERTISING.findall("\n".join(prose(path))) == []


@pytest.mark.parametrize("path", _WRITTEN, ids=name)
def test_no_folder_of_somebody_is_named(path: Path) -> None:
    assert _FOLDER.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", _WRITTEN, ids=name)
def test_code_blocks_are_not_too_wide(path: Path) -> None:
    shown = [block for block in blocks(path) if block.language not in {"run", "json"}]
    assert [line for block in shown for line in block.lines if len(line) > _CODE_WIDTH] == []
