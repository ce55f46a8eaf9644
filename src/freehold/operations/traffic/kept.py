"""The last proof by packets, kept beside infra.yml so that `status` and `ui` can show it. Written by `cli.verify`.

It holds names and addresses of the estate: only its owner reads it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freehold.engine.lock import STATE_FOLDER
from freehold.operations.traffic.check import Check, Kind, Result, TrafficReport
from freehold.system.files import write_atomically

SCHEMA = 1
_FILE = "traffic.json"


@dataclass(frozen=True, slots=True)
class Measured:
    """A report and the moment, in UTC, at which it was made."""

    report: TrafficReport
    at: datetime


def keep(folder: Path, report: TrafficReport, now: datetime | None = None) -> None:
    """Put it in the place of the one before. Raises OSError."""
    at = now or datetime.now(UTC)
    text = json.dumps({"schema": SCHEMA, "at": at.isoformat(), "report": asdict(report)})
    path = folder / STATE_FOLDER / _FILE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(path, text, 0o600)


def kept(folder: Path) -> Measured | None:
    """The last one; None when there is none, or none that this version can read."""
    try:
        document = json.loads((folder / STATE_FOLDER / _FILE).read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            return None
        return Measured(_report(document["report"]), datetime.fromisoformat(document["at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _report(fields: Mapping[str, Any]) -> TrafficReport:
    return TrafficReport(
        estate=fields["estate"],
        machines=tuple(fields["machines"]),
        results=tuple(map(_result, fields["results"])),
        outside=fields["outside"],
        notes=tuple(fields["notes"]),
        seconds=float(fields["seconds"]),
    )


def _result(fields: Mapping[str, Any]) -> Result:
    check = fields["check"]
    return Result(
        Check(**{**check, "kind": Kind(check["kind"])}), fields["arrived"], fields["remark"]
    )
