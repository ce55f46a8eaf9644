"""What a problem looks like: the place, the user's line with the word underlined, the remedy to copy."""

from collections.abc import Sequence
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.diagnostics import Diagnostic, Source
from freehold.views.diagnostics import render_diagnostics
from tests.unit.views.conftest import Golden
from tests.unit.views.estates import DIAGNOSTICS


def rendered(*diagnostics: Diagnostic) -> str:
    stream = StringIO()
    render_diagnostics(diagnostics, stream)
    return stream.getvalue()


def at(column: int, text: str, line: int = 7) -> Diagnostic:
    return Diagnostic(code="c", summary="S", source=Source("infra.yml", line, column, "a.b", text))


def underlined(diagnostic: Diagnostic) -> str:
    """The part of the shown line above the carets."""
    lines = rendered(diagnostic).splitlines()
    carets = lines[4]
    return lines[3][carets.index("^") : carets.rindex("^") + 1]


@pytest.mark.parametrize("width", [None, "40", "20"])
def test_all_of_them(golden: Golden, monkeypatch: pytest.MonkeyPatch, width: str | None) -> None:
    if width:
        monkeypatch.setenv("COLUMNS", width)
    name = f"diagnostics-{width}-columns" if width else "diagnostics"
    golden(name, lambda stream: render_diagnostics(DIAGNOSTICS, stream))


def test_in_colour(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    golden("diagnostics-colour", lambda stream: render_diagnostics(DIAGNOSTICS, stream))


@pytest.mark.parametrize(
    ("column", "text", "word"),
    [
        (5, "    memry: 8GiB", "memry"),
        (13, "    memory: lots", "lots"),
        (9, '    ip: "10.0.0.1"  # x', '"10.0.0.1"'),
        (10, "    cpu: [1, 2]", "["),
        (11, "    cpu: [1, 2]", "1"),
        (9, "    名前: 値段", "値段"),
    ],
)
def test_the_word_is_underlined(column: int, text: str, word: str) -> None:
    lines = rendered(at(column, text)).splitlines()
    carets = lines[4].count("^")
    if word.isascii():
        assert underlined(at(column, text)) == word
    else:  # two columns for each character, in the text before and in the word
        assert carets == 4
        assert lines[4].index("^") - lines[4].index("|") == 2 + 4 + 4 + 2


def test_a_place_beyond_the_line_points_behind_it() -> None:
    assert rendered(at(99, "x: 1")).splitlines()[4].rstrip().endswith("|     ^")


def test_a_long_line_is_cut_around_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    diagnostic = at(301, "a" * 299 + " " + "wrong " + "b" * 300)
    assert underlined(diagnostic) == "wrong"
    assert max(map(len, rendered(diagnostic).splitlines())) <= 60


def test_commands_in_a_hint_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    command = "incus config set --project homelab homelab-llm user.freehold.estate=maison"
    diagnostic = Diagnostic(
        code="c", summary="S", hint=f"Give it to us like this, please:\n    {command}"
    )
    assert command in [line.strip() for line in rendered(diagnostic).splitlines()]


def test_tabs_and_control_characters_are_shown() -> None:
    diagnostic = at(2, "\tkey: \x1b[2J\u202e")
    assert underlined(diagnostic) == "key"
    assert "\x1b" not in rendered(diagnostic)
    assert "\\t" in rendered(diagnostic)
    assert "\\x1b[2J\\u202e" in rendered(diagnostic)


def test_the_count_is_said_for_more_than_one() -> None:
    assert rendered(*DIAGNOSTICS).endswith("\n\n3 errors, 1 warning\n")
    assert "1 error" not in rendered(DIAGNOSTICS[0])


def test_the_order_is_that_of_the_files() -> None:
    def heads(diagnostics: Sequence[Diagnostic]) -> list[str]:
        lines = rendered(*diagnostics).splitlines()
        return [
            line.split("[")[1].split("]")[0] for line in lines if line[:5] in {"error", "warni"}
        ]

    assert heads(DIAGNOSTICS) == [
        "unknown-key",
        "bad-address",
        "unused-profile",
        "incus-unavailable",
    ]


@given(st.text(), st.integers(1, 500), st.text(max_size=80), st.text(max_size=80))
def test_nothing_a_user_wrote_reaches_the_terminal_as_a_command(
    text: str, column: int, detail: str, hint: str
) -> None:
    source = Source("infra.yml", 1, column, text, text)
    shown = rendered(Diagnostic(code="c", summary="S", detail=detail, hint=hint, source=source))
    assert all(
        character == "\n" or character.isprintable() or character.isspace() for character in shown
    )
    assert "\x1b" not in shown
    shown.encode()
