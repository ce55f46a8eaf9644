"""Links inside the repository lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchor, headings, name, papers, prose

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _links(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(prose(path), start=1):
        yield from ((number, found[1]) for found in _LINK.finditer(line))


def _is_dead(path: Path, link: str) -> bool:
    place, _, fragment = link.partition("#")
    target = path if not place else path.parent / place
    if not target.exists() or not target.resolve().is_relative_to(ROOT):
        return True
    return bool(fragment) and fragment not in {anchor(heading) for heading in headings(target)}


@pytest.mark.parametrize("path", papers(), ids=name)
def test_no_link_inside_the_repository_is_dead(path: Path) -> None:
    dead = [
        f"{name(path)}:{number}: {link}"
        for number, link in _links(path)
        if "://" not in link and _is_dead(path, link)
    ]
    assert not dead


def test_every_paper_below_docs_is_listed_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for _, link in _links(index)}
    with_own_lists = {ROOT / "docs" / "decisions", ROOT / "docs" / "reference" / "catalog"}
    below = {path for path in (ROOT / "docs").rglob("*.md") if path.parent not in with_own_lists}
    assert below - listed - {index} == set()
