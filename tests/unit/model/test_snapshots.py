"""Which scheduled snapshots go, when one is due, and when a schedule has fallen behind."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.model.snapshots import (
    UNITS,
    Keep,
    Schedule,
    behind,
    due,
    is_scheduled_name,
    scheduled_name,
    thinned,
)

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)  # a Saturday
PARIS = ZoneInfo("Europe/Paris")
_FORMATS = {"hourly": "%Y-%m-%d %H", "daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m", "yearly": "%Y"}  # fmt: skip

moments = st.datetimes(
    (NOW - timedelta(days=1000)).replace(tzinfo=None),
    NOW.replace(tzinfo=None),
    timezones=st.just(UTC),
)
collections = st.lists(moments, max_size=60, unique_by=lambda at: at.replace(second=0, microsecond=0)).map(
    lambda several: {scheduled_name(at): at for at in several}
)  # fmt: skip
keeps = st.builds(Keep, **{unit: st.integers(0, 6) for unit in UNITS})


def every(hours: int, count: int) -> dict[str, datetime]:
    """Snapshots up to now, one each so many hours."""
    moments = [NOW - timedelta(hours=hours * number) for number in range(count)]
    return {scheduled_name(at): at for at in moments}


def kept(made: dict[str, datetime], keep: Keep, now: datetime = NOW) -> list[str]:
    gone = thinned(made, keep, now)
    return sorted(name.removeprefix("scheduled-") for name in made if name not in gone)


def test_a_week_of_days_and_a_month_of_weeks() -> None:
    assert kept(every(24, 60), Keep(daily=7, weekly=4)) == [
        "20261101-1230", "20261108-1230",  # the Sundays before
        "20261115-1230", "20261116-1230", "20261117-1230", "20261118-1230", "20261119-1230", "20261120-1230",
        "20261121-1230",
    ]  # fmt: skip


def test_periods_without_a_snapshot_do_not_count() -> None:
    """A computer that was away for a year loses nothing."""
    made = {scheduled_name(at): at for at in (NOW - timedelta(days=days) for days in (0, 400, 401))}
    assert thinned(made, Keep(daily=3), NOW) == ()


def test_the_newest_stays_whatever_is_kept() -> None:
    assert kept(every(24, 3), Keep(yearly=1)) == ["20261121-1230"]
    assert thinned(every(24, 3), Keep(), NOW) == ()


def test_the_day_is_that_of_the_clock_on_the_wall() -> None:
    late, early = (
        datetime(2026, 11, 20, 22, 30, tzinfo=UTC),
        datetime(2026, 11, 20, 23, 30, tzinfo=UTC),
    )
    made = {"scheduled-20261120-2330": late, "scheduled-20261121-0030": early}
    assert thinned(made, Keep(daily=2), NOW) == ("scheduled-20261120-2330",)
    assert thinned(made, Keep(daily=2), NOW.astimezone(PARIS)) == ()


def test_what_was_not_made_by_a_schedule_stays_and_takes_no_place() -> None:
    made = {"before-update": NOW, "run-20261121": NOW, "before-restore-x": NOW, "scheduled-by-me": NOW,
            "20261121-123000": NOW} | every(24, 3)  # fmt: skip
    assert thinned(made, Keep(daily=2), NOW) == ("scheduled-20261119-1230",)


@given(collections, keeps)
def test_what_stays_is_the_newest_of_each_of_the_last_periods(
    made: dict[str, datetime], keep: Keep
) -> None:
    gone = set(thinned(made, keep, NOW))
    wanted = {max(made, key=lambda name: made[name])} if made else set()
    for unit, count in keep.counts().items():
        newest = {
            made[name].strftime(_FORMATS[unit]): name
            for name in sorted(made, key=lambda n: made[n])
        }
        wanted |= {newest[period] for period in sorted(newest)[-count:]}
    assert made.keys() - gone == (wanted if keep.counts() else made.keys())


@given(collections, keeps)
def test_thinning_twice_takes_no_more(made: dict[str, datetime], keep: Keep) -> None:
    gone = thinned(made, keep, NOW)
    left = {name: at for name, at in made.items() if name not in gone}
    assert thinned(left, keep, NOW) == ()
    assert [made[name] for name in gone] == sorted(made[name] for name in gone)


@given(collections, keeps, st.sampled_from(UNITS))
def test_who_keeps_more_never_loses_more(made: dict[str, datetime], keep: Keep, unit: str) -> None:
    more = Keep(**{**keep.counts(), unit: 50})
    if keep.counts():
        assert set(thinned(made, more, NOW)) <= set(thinned(made, keep, NOW))


@pytest.mark.parametrize(
    ("schedule", "last", "is_due"),
    [
        (Schedule.HOURLY, datetime(2026, 11, 21, 12, 0, tzinfo=UTC), False),
        (Schedule.HOURLY, datetime(2026, 11, 21, 11, 59, tzinfo=UTC), True),
        (Schedule.DAILY, datetime(2026, 11, 21, 0, 1, tzinfo=UTC), False),
        (Schedule.DAILY, datetime(2026, 11, 20, 23, 59, tzinfo=UTC), True),
        (Schedule.WEEKLY, datetime(2026, 11, 16, 0, 0, tzinfo=UTC), False),
        (Schedule.WEEKLY, datetime(2026, 11, 15, 23, 59, tzinfo=UTC), True),
        (Schedule.MONTHLY, datetime(2026, 11, 1, 3, 0, tzinfo=UTC), False),
        (Schedule.MONTHLY, datetime(2026, 10, 31, 3, 0, tzinfo=UTC), True),
        (Schedule.NEVER, datetime(2020, 1, 1, tzinfo=UTC), False),
        (Schedule.DAILY, NOW + timedelta(days=2), False),
    ],
)  # fmt: skip
def test_one_is_due_when_a_new_period_has_begun(
    schedule: Schedule, last: datetime, is_due: bool
) -> None:
    assert due(last, schedule, NOW) is is_due


def test_the_first_is_due_at_once() -> None:
    assert due(None, Schedule.MONTHLY, NOW)
    assert not due(None, Schedule.NEVER, NOW)


def test_midnight_is_that_of_the_clock_on_the_wall() -> None:
    last = datetime(2026, 11, 20, 22, 50, tzinfo=UTC)  # 23:50 in Paris
    now = datetime(2026, 11, 20, 23, 10, tzinfo=UTC)  # ten past midnight
    assert not due(last, Schedule.DAILY, now)
    assert due(last, Schedule.DAILY, now.astimezone(PARIS))


@pytest.mark.parametrize(
    ("schedule", "late"),
    [
        (Schedule.HOURLY, timedelta(hours=2)),
        (Schedule.DAILY, timedelta(hours=30)),
        (Schedule.WEEKLY, timedelta(days=8, hours=18)),
        (Schedule.MONTHLY, timedelta(days=38, hours=18)),
    ],
)
def test_a_schedule_falls_behind_after_a_period_and_some(
    schedule: Schedule, late: timedelta
) -> None:
    long_ago, moment = NOW - timedelta(days=900), timedelta(seconds=1)
    assert not behind(NOW - late, long_ago, schedule, NOW)
    assert behind(NOW - late - moment, long_ago, schedule, NOW)
    assert behind(None, NOW - late - moment, schedule, NOW)
    assert not behind(None, NOW - late, schedule, NOW), "a new machine has time"
    assert not behind(None, long_ago, Schedule.NEVER, NOW)


@given(moments)
def test_names_are_recognised(at: datetime) -> None:
    assert is_scheduled_name(scheduled_name(at))


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("scheduled-20261121-0300", True),
        ("scheduled-20261121-0300-0", True),
        ("scheduled-20261121-03000", False),
        ("scheduled-tomorrow", False),
        ("scheduled-20261121-0300\n", False),
        ("20261121-030000", False),
        ("snap0", False),
    ],
)
def test_only_names_of_that_form_are_taken_for_scheduled_ones(name: str, is_ours: bool) -> None:
    assert is_scheduled_name(name) is is_ours
