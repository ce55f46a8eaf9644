"""The versions of services, for people and as JSON. Called by `cli.updates`."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, TextIO

from freehold.config.catalog.dated import VERSIONS_AS_OF
from freehold.operations.updates import Update
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, visible
from freehold.views.words import count, listed

_COLUMNS = [
    Column("service"),
    Column("on"),
    Column("runs"),
    Column("infra.yml"),
    Column("catalog"),
    Column("mended until"),
]
_NOTHING = "–"
_UNKNOWN = "not known"
_SOON = 90  # days
_OLD = 90  # days after which most of a catalog's versions have a successor


def updates_document(found: Sequence[Update], today: date) -> dict[str, Any]:
    """As in the contract of `updates --json`."""
    return {
        "schema": 1,
        "kind": "updates",
        "catalog_as_of": VERSIONS_AS_OF.isoformat(),
        "services": [
            {
                "service": each.name,
                "catalog": each.kind,
                "target": each.target,
                "known": each.is_known,
                "running": each.running or None,
                "wanted": each.wanted,
                "newest": each.newest_in_catalog,
                "behind": each.is_behind,
                "ends": each.ends.isoformat() if each.ends else None,
                "ended": each.ends is not None and each.ends <= today,
            }
            for each in found
        ],
    }


def render_updates(
    found: Sequence[Update], today: date, stream: TextIO, *, command: str = "freehold"
) -> None:
    """A table, and what to type."""
    paper = Paper(stream)
    if not found:
        paper.line("No service of infra.yml runs as a container.")
        return
    for line in table_lines(_COLUMNS, [_row(each, today) for each in found], paper):
        paper.line(line)
    paper.line()
    for sentence in _sentences(found, today, command):
        for line in paper.wrapped(sentence):
            paper.line(line)


def _row(each: Update, today: date) -> list[str]:
    words = (each.name, each.target, _running(each), each.wanted, each.newest_in_catalog)
    return [*map(visible, words), _end(each.ends, today)]


def _running(each: Update) -> str:
    return each.running or (_NOTHING if each.is_known else _UNKNOWN)


def _end(day: date | None, today: date) -> str:
    if day is None:
        return _NOTHING
    left = (day - today).days
    if left <= 0:
        return f"{day}, over"
    return f"{day}, {left} days" if left <= _SOON else str(day)


def _sentences(found: Sequence[Update], today: date, command: str) -> Iterator[str]:
    behind = [each.name for each in found if each.is_behind]
    newer = [each.name for each in found if each.has_newer]
    over = [each.name for each in found if each.ends is not None and each.ends <= today]
    if over:
        yield f"No longer mended by their makers: {', '.join(over)}."
    if behind:
        yield f"Not what infra.yml asks for: {', '.join(behind)}. Update with a copy of their data: {command} updates apply"
    if newer:
        yield f"The catalog has another version of {', '.join(newer)}: change or take out `version` in infra.yml."
    yield from _rest(found, bool(over))
    yield _as_of(today)


def _rest(found: Sequence[Update], over: bool) -> Iterator[str]:
    """Of what there is nothing to update: it is not known, not there, or as it should be."""
    unknown = [each for each in found if not each.is_known]
    absent = [each.name for each in found if each.is_known and not each.running]
    if unknown:
        where = listed(sorted({each.target for each in unknown}))
        yield f"Not known of {len(unknown)} of {count(len(found), 'service')}, on {where}: what runs there could not be looked at."
    if absent:
        yield f"Not there: {listed(absent)}."
    newest = sum(each.is_newest for each in found)
    if newest == len(found) and not over:
        yield "Everything runs in the version of the catalog."


def _as_of(today: date) -> str:
    """A catalog that is old calls old versions new."""
    said = f"Versions of the catalog as of {VERSIONS_AS_OF}"
    days = (today - VERSIONS_AS_OF).days
    return (
        f"{said}, {days} days ago: a newer Freehold may know later ones."
        if days > _OLD
        else f"{said}."
    )
