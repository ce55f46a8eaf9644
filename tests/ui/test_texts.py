"""The two languages say the same things, with the same facts in them."""

import ast
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from freehold.providers.compose.places import COMPOSE, SERVICE
from freehold.views import languages
from freehold.views.languages import ENGLISH, FRENCH, LANGUAGES, Texts, catalogue, preferred
from freehold.views.languages.sentences import sentences

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


def test_every_kind_of_resource_has_a_word() -> None:
    providers = SOURCES.parent / "providers"
    written = "".join(path.read_text() for path in providers.rglob("*.py"))
    kinds = {COMPOSE, SERVICE, *re.findall(r'\bKind\(\s*name="([a-z-]+)"', written)}
    assert len(kinds) > 15
    assert {f"kind.{kind}" for kind in kinds} <= set(KEYS)


def test_every_text_that_a_template_names_is_there() -> None:
    written = "".join(path.read_text() for path in (SOURCES / "ui" / "templates").iterdir())
    named = set(re.findall(r'\bt\("([a-z.-]+)"[,)]', written))
    assert len(named) > 40
    known = {key.removesuffix(".one").removesuffix(".other") for key in KEYS}
    assert named <= known


_NEEDS = SOURCES.parent / "operations" / "overview"
_COLUMNS = re.compile(r'for each in \[([^]]+)\] %}<th [^>]*>{{ t\("([a-z]+\.)" ~ each')
_JOINED = re.compile(r'\bt(?:\.word)?\((?:"([a-z.-]*)" ~ )?[a-z_.]+(?: ~ "([a-z.-]+)")?[,)]')


def _named_in_templates() -> Iterator[str]:
    """Patterns of the keys that templates name: as they stand, for each column of a table, or put together with something."""
    for path in (SOURCES / "ui" / "templates").iterdir():
        text = path.read_text()
        for columns, table in _COLUMNS.findall(text):
            yield from (re.escape(table + each) for each in re.findall(r'"([a-z-]+)"', columns))
        text = _COLUMNS.sub("", text)
        yield from (re.escape(key) for key in re.findall(r'"([a-z]+\.[a-z.-]+)"', text))
        for before, after in _JOINED.findall(text):
            if before or after:
                yield f"{re.escape(before)}[a-z_-]+{re.escape(after)}"


def _named_in_programs() -> Iterator[str]:
    for path in (*SOURCES.glob("ui/*.py"), SOURCES / "overview_document.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.escape(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                parts = (
                    re.escape(str(each.value)) if isinstance(each, ast.Constant) else "[a-z_-]+"
                    for each in node.values
                )
                yield "".join(parts)


def _stem(key: str) -> str:
    """Without what `Texts` and `need_text` put behind it."""
    return re.sub(r"(?:\.(?:one|other|several|detail))+$", "", key)


def test_every_text_is_used() -> None:
    patterns = {each for each in (*_named_in_templates(), *_named_in_programs()) if r"\." in each}
    used = re.compile("|".join(sorted(patterns)))
    assert used.fullmatch("page.copy")
    assert not used.fullmatch("services.image")
    assert [key for key in KEYS if not used.fullmatch(_stem(key)) and not used.fullmatch(key)] == []


def test_every_need_has_a_text_and_every_text_a_need() -> None:
    written = "".join(path.read_text() for path in _NEEDS.glob("*.py"))
    codes = {_stem(key).removeprefix("need.") for key in KEYS if key.startswith("need.")}
    assert {code for code in codes if f'"{code}"' not in written} == set()
    given = set(re.findall(r'matter="([a-z-]+)"', written))
    assert given - codes == {"diagnostic"}


@pytest.mark.parametrize(
    "texts", [catalogue(FRENCH), sentences(FRENCH)], ids=["texts", "sentences"]
)
def test_no_line_of_french_begins_with_a_colon(texts: Mapping[str, str]) -> None:
    """Spaces before these signs are such that no line is broken there: U+00A0 before a colon, U+202F before the others."""
    assert [text for text in texts.values() if re.search(r" [:;?!]", text)] == []
    assert [text for text in texts.values() if re.search("\u202f:|\u00a0[;?!]", text)] == []


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
