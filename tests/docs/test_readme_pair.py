"""A French paper says the same as the English one: the same parts, the same commands, the same links."""

import re

import pytest

from tests.docs.pages import ROOT, blocks, headings, prose

Pair = tuple[str, str]
PAIRS = [
    (str(french.with_name(french.name.replace(".fr.md", ".md")).relative_to(ROOT)), str(french.relative_to(ROOT)))
    for french in sorted([*ROOT.glob("*.fr.md"), *(ROOT / "docs").rglob("*.fr.md")])
]  # fmt: skip
pairs = pytest.mark.parametrize("pair", PAIRS, ids=[english for english, _ in PAIRS])
LINK = re.compile(r"\]\(([^)]+)\)")


def _levels(lines: list[str]) -> list[int]:
    return [len(line) - len(line.lstrip("#")) for line in lines]


def _shape(lines: list[str]) -> list[str]:
    """Headings, list items and table rows by their first sign, in order; the first cell of a row as it is."""
    kinds = {"#": "heading", "-": "item", "|": "row"}
    return [kinds[line[0]] for line in lines if line[:1] in kinds]


def _links(name: str) -> list[str]:
    return LINK.findall("\n".join(prose(ROOT / name)))


def test_there_are_pairs() -> None:
    assert ("README.md", "README.fr.md") in PAIRS


@pairs
def test_the_same_headings(pair: Pair) -> None:
    english, french = (_levels(headings(ROOT / name)) for name in pair)
    assert english == french


@pairs
def test_the_same_code_blocks(pair: Pair) -> None:
    english, french = ([(b.language, b.lines) for b in blocks(ROOT / name)] for name in pair)
    assert english == french


@pairs
def test_the_same_items_and_rows(pair: Pair) -> None:
    english, french = (_shape(prose(ROOT / name)) for name in pair)
    assert english == french


@pairs
def test_the_same_words_of_the_language_in_code(pair: Pair) -> None:
    inline = re.compile(r"`([^`]+)`")
    english, french = (set(inline.findall("\n".join(prose(ROOT / name)))) for name in pair)
    assert english == french


@pairs
def test_the_same_links(pair: Pair) -> None:
    """But that each names the other first, and a French paper leads to French ones where there are any."""
    english, french = map(_links, pair)
    names = [name.rpartition("/")[2] for name in pair]
    assert [french[0], english[0]] == names
    translated = {each.replace(".md", ".fr.md"): each for each, _ in PAIRS}
    assert english[1:] == [translated.get(link, link) for link in french[1:]]
