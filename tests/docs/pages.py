"""The papers that users read, as the tests of this folder need them: files, code blocks, headings, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)[ \t]*$")
_COMMENT = re.compile(r"^<!-- run: (.*) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences; `language` is `run` for a comment that only the tests obey."""

    language: str
    lines: tuple[str, ...]
    first_line: int

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def papers() -> list[Path]:
    """Every Markdown file that comes with the repository."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name(path: Path) -> str:
    """A paper's path inside the repository: what tests are called by."""
    return str(path.relative_to(ROOT))


@cache
def blocks(path: Path) -> tuple[Block, ...]:
    """The code blocks of a paper, in order."""
    return tuple(_blocks(path.read_text(encoding="utf-8").splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    language, start = "", -1
    for number, line in enumerate(lines):
        if start < 0 and (comment := _COMMENT.match(line)):
            yield Block("run", (comment[1],), number)
        elif start < 0 and (fence := _FENCE.match(line)):
            language, start = fence[1], number + 1
        elif start >= 0 and line == "```":
            yield Block(language, tuple(lines[start:number]), start)
            start = -1
    if start >= 0:
        raise ValueError(f"the block that begins in line {start} has no end")


def prose(path: Path) -> list[str]:
    """The lines of a paper outside of its code blocks; those inside are empty, so that numbers stay."""
    lines = path.read_text(encoding="utf-8").splitlines()
    inside = {
        number
        for block in blocks(path)
        if block.language != "run"
        for number in range(block.first_line - 1, block.first_line + len(block.lines) + 1)
    }
    return ["" if number in inside else line for number, line in enumerate(lines)]


def headings(path: Path) -> list[str]:
    """The headings of a paper with their `#`."""
    return [line for line in prose(path) if re.match(r"#+ ", line)]


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"[`*]", "", heading.lstrip("#").strip()).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
