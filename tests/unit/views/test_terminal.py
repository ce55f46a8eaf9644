"""Escaping, shortening and measuring: what keeps every renderer's output readable and harmless."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from freehold.views.terminal import columns, shortened, visible, wrap
from freehold.views.words import duration, listed, pair, value


@given(st.text(st.characters()))
def test_visible_text_has_nothing_to_obey_and_can_be_written(text: str) -> None:
    shown = visible(text)
    assert all(
        character.isprintable() or unicodedata.category(character) == "Zs" for character in shown
    )
    shown.encode("utf-8")


def test_ordinary_text_is_as_it_was() -> None:
    assert visible("café 値段 [bold] → ±") == "café 値段 [bold] → ±"


def test_lone_surrogates_are_escaped() -> None:
    assert visible("a\udc80") == "a\\udc80"


@given(st.text(), st.integers(1, 60))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert columns(shortened(visible(text), limit)) <= limit


@given(st.text(), st.text(), st.integers(8, 60))
def test_a_pair_that_differs_looks_different(before: str, after: str, limit: int) -> None:
    old, new = pair(before, after, limit)
    assert (old == new) == (before == after)
    assert max(columns(old), columns(new)) <= limit


@given(st.text(st.sampled_from("ab -\n"), max_size=200), st.integers(20, 100))
def test_wrapping_cuts_no_word(text: str, width: int) -> None:
    assert " ".join(wrap(text, width, "  ", "    ")).split() == text.split()


def test_a_command_in_backticks_stays_whole() -> None:
    lines = wrap("Install it, or use the lab: `freehold lab start`, then go on.", 40)
    assert any("`freehold lab start`" in line for line in lines)


def test_values_are_on_one_line() -> None:
    assert value(None, 50) == "(none)"
    assert value("", 50) == '""'
    assert value("a\nb", 50) == "a\\nb"
    assert value({"a": [1, None]}, 50) == '{"a": [1, null]}'
    assert value("x" * 99, 10) == "x" * 9 + "…"


def test_durations() -> None:
    assert [duration(s) for s in (0.04, 4.2, 99.9, 125, 7380)] == [
        "0.0 s",
        "4.2 s",
        "99.9 s",
        "2 min 5 s",
        "2 h 3 min",
    ]


def test_lists_end_somewhere() -> None:
    assert listed(["a", "b", "c", "d"], 2) == "a, b, … and 2 more"
    assert listed(["a", "b"], 2) == "a, b"
