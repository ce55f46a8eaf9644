"""README.fr.md says the same as README.md: the same parts, the same commands, the same links."""

import re

from tests.docs.pages import ROOT, blocks, headings, prose

_ENGLISH, _FRENCH = ROOT / "README.md", ROOT / "README.fr.md"


def _levels(lines: list[str]) -> list[int]:
    return [len(line) - len(line.lstrip("#")) for line in lines]


def _shape(lines: list[str]) -> list[str]:
    """Headings, list items and table rows by their first sign, in order; the first cell of a row as it is."""
    kinds = {"#": "heading", "-": "item", "|": "row"}
    return [kinds[line[0]] for line in lines if line[:1] in kinds]


def test_the_same_headings() -> None:
    assert _levels(headings(_ENGLISH)) == _levels(headings(_FRENCH))


def test_the_same_code_blocks() -> None:
    english, french = ([(b.language, b.lines) for b in blocks(p)] for p in (_ENGLISH, _FRENCH))
    assert english == french


def test_the_same_items_and_rows() -> None:
    assert _shape(prose(_ENGLISH)) == _shape(prose(_FRENCH))


def test_the_same_words_of_the_language_in_code() -> None:
    inline = re.compile(r"`([^`]+)`")
    english, french = (
        sorted(inline.findall("\n".join(prose(path)))) for path in (_ENGLISH, _FRENCH)
    )
    assert set(english) == set(french)


def test_the_same_links() -> None:
    link = re.compile(r"\]\(([^)]+)\)")
    english, french = (link.findall("\n".join(prose(path))) for path in (_ENGLISH, _FRENCH))
    assert english[0] == _FRENCH.name
    assert french[0] == _ENGLISH.name
    assert english[1:] == french[1:]
