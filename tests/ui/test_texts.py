"""The two languages say the same things, with the same facts in them."""

import re
import string
from pathlib import Path

import pytest

from freehold.views import languages
from freehold.views.languages import ENGLISH, FRENCH, LANGUAGES, Texts, catalogue, preferred

SOURCES = Path(languages.__file__).parents[1]
KEYS = sorted(catalogue(ENGLISH))


def _facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    assert sorted(catalogue(language)) == KEYS
    assert all(text.strip() == text and text for text in catalogue(language).values())


@pytest.mark.parametrize("key", KEYS)
def test_a_text_has_the_same_facts_in_both(key: str) -> None:
    ours, theirs = _facts(catalogue(ENGLISH)[key]), _facts(catalogue(FRENCH)[key])
    counts = {"number"} if key.endswith((".one", ".other")) else set()
    assert ours - counts == theirs - counts


def test_what_counts_has_both_forms() -> None:
    stems = {
        key.removesuffix(".one").removesuffix(".other")
        for key in KEYS
        if key.endswith((".one", ".other"))
    }
    assert all(f"{stem}.one" in KEYS and f"{stem}.other" in KEYS for stem in stems)
    assert stems.isdisjoint(KEYS)


def test_nothing_is_singular_in_french_alone() -> None:
    assert Texts(ENGLISH)("page.count-machines", number=0) == "0 machines"
    assert Texts(FRENCH)("page.count-machines", number=0) == "0 machine"
    assert Texts(FRENCH)("page.count-machines", number=2) == "2 machines"


def test_a_name_with_braces_stays_as_it_is() -> None:
    assert (
        Texts(ENGLISH)("need.machines-down", number=1, subjects="{number}")
        == "{number} does not run"
    )


def test_every_text_that_a_template_names_is_there() -> None:
    written = "".join(path.read_text() for path in (SOURCES / "ui" / "templates").iterdir())
    named = set(re.findall(r'\bt\("([a-z.-]+)"[,)]', written))
    assert len(named) > 40
    known = {key.removesuffix(".one").removesuffix(".other") for key in KEYS}
    assert named <= known


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", ENGLISH),
        ("fr", FRENCH),
        ("fr-CH, fr;q=0.9, en;q=0.8", FRENCH),
        ("en-GB,en;q=0.9,fr;q=0.8", ENGLISH),
        ("de, fr;q=0.3", FRENCH),
        ("de", ENGLISH),
        ("fr;q=0", ENGLISH),
        ("fr;q=x, *", ENGLISH),
    ],
)
def test_the_language_that_a_browser_asks_for(header: str, language: str) -> None:
    assert preferred(header) == language
