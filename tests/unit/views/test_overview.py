"""What `freehold status` prints beside its tables: certificates, versions, the last change, isolation, and what needs somebody."""

from dataclasses import replace
from io import StringIO

import pytest

from freehold.engine.lock import Owner
from freehold.operations.overview import Overview
from freehold.views.overview import render_overview
from tests.ui.estates import EMPTY, FAILED, TROUBLED, WELL
from tests.ui.extremes import hostile
from tests.unit.views.conftest import Golden


def rendered(found: Overview) -> str:
    stream = StringIO()
    render_overview(found, stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "found", "width"),
    [
        ("well", WELL, None),
        ("troubled", TROUBLED, None),
        ("troubled-60-columns", TROUBLED, "60"),
        ("hostile", hostile(), None),
    ],
)
def test_the_whole_of_it(
    golden: Golden, monkeypatch: pytest.MonkeyPatch, name: str, found: Overview, width: str | None
) -> None:
    if width:
        monkeypatch.setenv("COLUMNS", width)
    golden(f"overview-{name}", lambda stream: render_overview(found, stream))


def test_an_estate_of_nothing_says_nothing_more() -> None:
    assert rendered(EMPTY) == "Everything is as infra.yml says.\n"


def test_the_last_line_says_whether_all_is_as_declared() -> None:
    assert rendered(WELL).splitlines()[-1] == "Everything is as infra.yml says."
    assert "To see what apply would do: freehold plan" in rendered(TROUBLED).splitlines()[-1]


def test_a_run_that_is_at_work_is_said_to_be() -> None:
    owner = Owner(pid=FAILED.pid, host="here", verb="apply", since=0.0)
    found = replace(WELL, runs=(replace(FAILED, exit_code=None),), at_work=owner)
    assert "Last change: apply at 2026-03-01 13:51, at work" in rendered(found)


def test_nothing_foreign_reaches_the_terminal() -> None:
    text = rendered(hostile())
    assert "\x1b" not in text
    assert "\u202e" not in text
