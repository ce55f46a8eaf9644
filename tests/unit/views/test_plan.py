"""What a plan looks like, to the letter where scripts or people rely on it."""

from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper

import pytest

from freehold.diagnostics import Diagnostic
from freehold.planning.change import FieldChange
from freehold.planning.plan import Plan
from freehold.planning.resource import Impact
from freehold.views.plan import last_line, render_plan
from tests.unit.views.conftest import Golden
from tests.unit.views.estates import (
    CREATE_HOMELAB,
    HOSTILE,
    MIXED,
    NOTHING,
    creation,
    deletion,
    orphan,
    update,
)


def rendered(plan: Plan, verbose: bool = False) -> str:
    stream = StringIO()
    render_plan(plan, stream, verbose=verbose)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "plan"), [("mixed", MIXED), ("nothing", NOTHING), ("hostile", HOSTILE)]
)
def test_a_whole_plan(golden: Golden, name: str, plan: Plan) -> None:
    golden(f"plan-{name}", lambda stream: render_plan(plan, stream))


def test_a_narrow_terminal(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    golden("plan-mixed-40-columns", lambda stream: render_plan(MIXED, stream))


def test_verbose_shows_every_field_of_a_creation(golden: Golden) -> None:
    plan = Plan(estate="maison", changes=CREATE_HOMELAB)
    golden("plan-verbose", lambda stream: render_plan(plan, stream, verbose=True))


def test_in_colour(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    golden("plan-mixed-colour", lambda stream: render_plan(MIXED, stream))


def test_no_color_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = rendered(MIXED)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert rendered(MIXED) != plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert rendered(MIXED) == plain


def test_the_last_line_is_a_contract() -> None:
    """DESIGN: the words of the last line do not change."""
    live = update("a", "b", Impact.LIVE, FieldChange("description", "a", "b", Impact.LIVE))
    plan = Plan(
        estate="maison",
        changes=(*(creation("project", f"d{n}", "", {}) for n in range(12)), live),
        orphans=(orphan("bridge", "a"), orphan("bridge", "b")),
        unchanged=31,
    )
    expected = "Plan: 12 to create, 1 to change, 0 to delete, 31 unchanged, 2 orphans."
    assert last_line(plan) == expected
    assert rendered(plan).splitlines()[-1] == expected


def test_what_is_replaced_counts_as_changed_and_is_named() -> None:
    assert "3 to change, 1 to replace, 2 to delete" in last_line(MIXED)


def test_nothing_is_promised_when_something_is_in_the_way() -> None:
    problem = Diagnostic(code="not-ours", summary="Something of this name exists and is not ours")
    assert "Nothing to do" not in rendered(replace(NOTHING, diagnostics=(problem,)))


def test_nothing_selected_is_not_called_as_declared() -> None:
    assert rendered(Plan(estate="maison")).startswith("Nothing to do.\n")


def test_every_loss_of_data_is_said_in_words() -> None:
    text = rendered(Plan(estate="m", changes=(deletion("volume", "pro", "db/data", True),)))
    assert "DATA LOSS: all that it holds is lost; needs --confirm pro/db/data" in text
    assert "DATA LOSS: 1 change loses data: volume pro/db/data." in text


def test_a_deletion_without_data_alarms_nobody() -> None:
    assert "DATA" not in rendered(Plan(estate="m", changes=(deletion("profile", "pro", "small"),)))


def test_protected_orphans_are_not_offered_for_deletion() -> None:
    kept = orphan("instance", "perso", "safe", holds_data=True, protected=True)
    text = rendered(Plan(estate="m", orphans=(kept,)))
    assert "instance perso/safe (holds data, protected: is kept)" in text
    assert "--prune" not in text


def test_long_values_that_differ_late_show_where() -> None:
    same = "x" * 400
    field = FieldChange("config.user.note", same + "before", same + "after", Impact.LIVE)
    lines = rendered(Plan(estate="m", changes=(update("a", "b", Impact.LIVE, field),))).splitlines()
    assert any("xbefore → …x" in line and line.endswith("xafter") for line in lines)
    assert max(map(len, lines)) <= 100


def test_an_encoding_without_arrows_is_no_reason_to_fail() -> None:
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding="ascii")
    render_plan(MIXED, stream)
    stream.flush()
    text = raw.getvalue().decode("ascii")
    assert "image: debian/12 -> debian/13" in text
    assert "+- instance pro/dev" in text


def test_an_unknown_kind_is_shown_by_its_fields() -> None:
    plan = Plan(estate="m", changes=(creation("zone", "pro", "x", {"ttl": 300, "name": "x"}),))
    assert "+ zone pro/x: name=x, ttl=300" in rendered(plan)
