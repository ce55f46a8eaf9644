"""Moments of snapshots in the in-memory Incus: a request's `expires_at`, `snapshots.expiry`, `snapshots.schedule`.

Pure. Called by `options.py`, which checks the two options, and by `snapshots.py` and `volume_snapshots.py`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from freehold.system.incus.fake.documents import NEVER, text_of
from freehold.system.incus.fake.routing import Refusal

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_SPAN = re.compile(r"(\d+)([SMHdwmy])")
_NUMBERED = re.compile(r"snap(\d+)")
_ALIASES = frozenset(
    {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@annually", "@yearly"}
)
_INSTANCE_ALIASES = _ALIASES | {"@startup", "@never"}


def next_name(taken: Iterable[str]) -> str:
    """What the server calls a snapshot that is not given a name."""
    numbers = [int(found[1]) for name in taken if (found := _NUMBERED.fullmatch(name))]
    return f"snap{max(numbers, default=-1) + 1}"


def given_expiry(body: Mapping[str, Any]) -> str | None:
    """The `expires_at` of a request, None when it says nothing about it. Raises Refusal for what is no moment."""
    if body.get("expires_at") is None:
        return None
    moment = text_of(body, "expires_at")
    if not _MOMENT.fullmatch(moment):
        start = moment.split("-")[0]
        raise Refusal(
            400,
            f'parsing time "{moment}" as "2006-01-02T15:04:05Z07:00": cannot parse "{start}" as "2006"',
        )
    return moment


def expiry_of_new(body: Mapping[str, Any], config: Mapping[str, str]) -> str:
    """When a snapshot that is being made expires: as the request says, else as `snapshots.expiry` does."""
    given = given_expiry(body)
    spans = dict(reversed(pair) for pair in _SPAN.findall(config.get("snapshots.expiry", "")))
    if given is not None or not spans:
        return given or NEVER
    return _later(datetime.now(UTC), {unit: int(count) for unit, count in spans.items()})


def _later(moment: datetime, spans: Mapping[str, int]) -> str:
    """Months come first; a day that a month does not have runs over into the next, as in Go."""
    months = moment.month - 1 + spans.get("m", 0) + 12 * spans.get("y", 0)
    first = moment.replace(year=moment.year + months // 12, month=months % 12 + 1, day=1)
    later = first + timedelta(
        days=moment.day - 1 + spans.get("d", 0),
        weeks=spans.get("w", 0),
        hours=spans.get("H", 0),
        minutes=spans.get("M", 0),
        seconds=spans.get("S", 0),
    )
    return later.isoformat().replace("+00:00", "Z")


def expiry_problem(value: str) -> str | None:
    """What is wrong with a `snapshots.expiry` such as `1w 3d`: each unit may come once."""
    parts = [_SPAN.fullmatch(part) for part in value.split()]
    units = [part[2] for part in parts if part is not None]
    fine = len(units) == len(parts) == len(set(units))
    return None if fine else "Invalid expiry expression"


def schedule_problem(value: str) -> str | None:
    """What is wrong with the form of an instance's `snapshots.schedule`: aliases or five fields, parted by `, `."""
    return _schedule_problem(value, _INSTANCE_ALIASES)


def volume_schedule_problem(value: str) -> str | None:
    """The same of a volume, which is never started."""
    return _schedule_problem(value, _ALIASES)


def _schedule_problem(value: str, aliases: Collection[str]) -> str | None:
    parts = value.split(", ") if value else []
    if all(part in aliases or len(part.split(" ")) == 5 for part in parts):
        return None
    return "Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>"
