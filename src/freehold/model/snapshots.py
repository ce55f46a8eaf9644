"""Snapshots as infra.yml declares them: when, which ones are kept, and what their names say. Pure; no clock of its own.

`config` makes the values, `providers.incus` hands a schedule to Incus where Incus can carry it out, and whoever makes and
thins the others asks `due` and `thinned`. `verify` asks `behind`.

Periods are those of the calendar in the time zone of `now`, which every function is given; weeks begin on Monday.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SCHEDULED = "scheduled-"
"""How the names of those begin that a schedule made. Only these are ever thinned."""

OF_RUNS = "run-"
"""How the names of those begin that an apply made before it changed machines."""

BEFORE_RESTORE = "before-restore-"
"""How the names of those begin that keep what going back replaced."""

RESERVED = (SCHEDULED, OF_RUNS, BEFORE_RESTORE)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

_SCHEDULED_NAME = re.compile(rf"{SCHEDULED}\d{{8}}-\d{{4}}(?:-\d+)?")
"""`scheduled-20261121-0300`; Incus appends a number when that name is taken."""

_SHORTEST_TOLERANCE = timedelta(hours=1)


class Schedule(StrEnum):
    """How often a snapshot is made without anybody asking."""

    NEVER = "never"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Of how many of the last hours, days … that have a snapshot the newest one is kept. All zero: nothing is thinned."""

    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    def counts(self) -> dict[str, int]:
        """Those that are not zero, by unit, the finest first."""
        every = {unit: getattr(self, unit) for unit in UNITS}
        return {unit: count for unit, count in every.items() if count}


UNITS: tuple[str, ...] = ("hourly", "daily", "weekly", "monthly", "yearly")
"""What `Keep` counts, the finest first; the words of `Schedule` mean the same."""

DEFAULT_KEEP: Mapping[Schedule, Keep] = {
    Schedule.NEVER: Keep(),
    Schedule.HOURLY: Keep(hourly=24),
    Schedule.DAILY: Keep(daily=7),
    Schedule.WEEKLY: Keep(weekly=4),
    Schedule.MONTHLY: Keep(monthly=12),
}
"""What is kept when a schedule says nothing about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """What is declared about a machine's snapshots.

    `pre` and `post` are shell command lines that run as root inside it, before and after each snapshot, also one by hand.
    """

    schedule: Schedule = Schedule.NEVER
    keep: Keep = Keep()
    pre: str | None = None
    post: str | None = None

    @property
    def is_scheduled(self) -> bool:
        """Whether snapshots are made without anybody asking."""
        return self.schedule is not Schedule.NEVER


NO_SNAPSHOTS = Snapshots()


def is_scheduled_name(name: str) -> bool:
    """Whether a schedule made the snapshot of this name."""
    return _SCHEDULED_NAME.fullmatch(name) is not None


def scheduled_name(now: datetime) -> str:
    """The name of a snapshot that a schedule makes now: `scheduled-20261121-0300`."""
    return f"{SCHEDULED}{now:%Y%m%d-%H%M}"


def thinned(made: Mapping[str, datetime], keep: Keep, now: datetime) -> tuple[str, ...]:
    """The names of those that `keep` lets go, the oldest first; `made` says when each snapshot was made.

    For each unit the newest is kept in each of the last periods that have one, as many as are counted; the newest of all
    always. A name that no schedule gave is neither counted nor answered.
    """
    ours = {name: at for name, at in made.items() if is_scheduled_name(name)}
    newest_first = sorted(ours, key=lambda name: (ours[name], name), reverse=True)
    counts = keep.counts()
    if not counts:
        return ()
    kept = set(newest_first[:1])
    for unit, count in counts.items():
        newest_of: dict[datetime, str] = {}
        for name in newest_first:
            newest_of.setdefault(_begin(unit, ours[name].astimezone(now.tzinfo)), name)
        kept.update(list(newest_of.values())[:count])
    return tuple(name for name in reversed(newest_first) if name not in kept)


def due(newest: datetime | None, schedule: Schedule, now: datetime) -> bool:
    """Whether a snapshot is to be made: the newest of the schedule's is older than the hour, day … that it is now."""
    if schedule is Schedule.NEVER:
        return False
    return newest is None or newest < _begin(schedule, now)


def behind(newest: datetime | None, since: datetime, schedule: Schedule, now: datetime) -> bool:
    """Whether a schedule has fallen behind: nothing for longer than a whole period and a quarter of one, at least an hour.

    `since` is when there was nothing yet to have a snapshot of: the machine was made then, or went back.
    """
    if schedule is Schedule.NEVER:
        return False
    last = since if newest is None else max(newest, since)
    length = _LENGTHS[schedule]
    return now - last > length + max(length / 4, _SHORTEST_TOLERANCE)


_LENGTHS: Mapping[Schedule, timedelta] = {
    Schedule.HOURLY: timedelta(hours=1),
    Schedule.DAILY: timedelta(days=1),
    Schedule.WEEKLY: timedelta(weeks=1),
    Schedule.MONTHLY: timedelta(days=31),
}


def _begin(unit: str, at: datetime) -> datetime:
    """When the period began that this moment lies in."""
    return _BEGINS[unit](at)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


_BEGINS: Mapping[str, Callable[[datetime], datetime]] = {
    "hourly": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "daily": _midnight,
    "weekly": lambda at: _midnight(at) - timedelta(days=at.weekday()),
    "monthly": lambda at: _midnight(at).replace(day=1),
    "yearly": lambda at: _midnight(at).replace(month=1, day=1),
}
