"""The versions of services, for people and as JSON. Called by `cli.updates`."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, TextIO

from freehold.operations.updates import Update
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, visible

_COLUMNS = [
    Column("service"),
    Column("on"),
    Column("runs"),
    Column("infra.yml"),
    Column("catalog"),
    Column("mended until"),
]
_NOTHING = "–"
_SOON = 90  # days


def updates_document(found: Sequence[Update], today: date) -> dict[str, Any]:
    """As in the contract of `updates --json`."""
    return {
        "schema": 1,
        "kind": "updates",
        "services": [
            {
                "service": each.name,
                "catalog": each.kind,
                "target": each.target,
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
    words = (each.name, each.target, each.running or _NOTHING, each.wanted, each.newest_in_catalog)
    return [*map(visible, words), _end(each.ends, today)]


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
    if not (over or behind or newer):
        yield "Everything runs in the version of the catalog."
