"""Snapshots for people and as JSON. Called by `cli.snapshot`."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from freehold.providers.incus.snapshots.reading import Snapshot, Target
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, visible
from freehold.views.words import count

if TYPE_CHECKING:
    from freehold.operations.snapshots.planner import Seen

_HEADS = (
    Column("MACHINE"),
    Column("SNAPSHOT"),
    Column("TAKEN"),
    Column("EXPIRES"),
    Column("REMARKS", folds=True),
)


def snapshots_document(seen: "Seen") -> dict[str, Any]:
    """As `snapshot list --json` prints them. Times are those of ISO 8601."""
    return {
        "schema": 1,
        "kind": "snapshots",
        "estate": seen.infra.name,
        "snapshots": [
            {
                "machine": target.key,
                "name": snapshot.name,
                "taken": snapshot.made.isoformat(),
                "expires": snapshot.expires.isoformat() if snapshot.expires else None,
                "volumes": [place.name for place in snapshot.volumes],
                "whole": seen.look.is_whole(target, snapshot),
            }
            for target in seen.targets()
            for snapshot in target.snapshots
        ],
    }


def render_snapshots(seen: "Seen", stream: TextIO) -> None:
    """A row for each, by machine, the oldest first."""
    paper = Paper(stream)
    rows = [_row(seen, target, each) for target in seen.targets() for each in target.snapshots]
    if not rows:
        paper.line("No snapshots.")
        return
    for line in table_lines(_HEADS, rows, paper):
        paper.line(line)


def _row(seen: "Seen", target: Target, snapshot: Snapshot) -> list[str]:
    expires = _local(snapshot.expires) if snapshot.expires else ""
    remarks = ", ".join(_remarks(seen, target, snapshot))
    return [visible(target.key), visible(snapshot.name), _local(snapshot.made), expires, remarks]


def _remarks(seen: "Seen", target: Target, snapshot: Snapshot) -> Iterator[str]:
    if snapshot.volumes:
        yield f"with {count(len(snapshot.volumes), 'volume')}"
    if not snapshot.has_disk:
        yield "without the disk: not whole"
    elif not seen.look.is_whole(target, snapshot):
        yield "never finished"
    if target.restoring == snapshot.name:
        yield "half-way back to it"


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
