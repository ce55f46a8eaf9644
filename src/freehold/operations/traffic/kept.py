"""The last proof by packets, kept beside infra.yml so that `status` and `ui` can show it. Written by `cli.verify`.

It holds names and addresses of the estate: only its owner reads it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freehold.engine.lock import STATE_FOLDER
from freehold.model import Infra
from freehold.operations.traffic.check import Check, Kind, Result, TrafficReport
from freehold.system.files import write_atomically

SCHEMA = 2
_FILE = "traffic.json"


@dataclass(frozen=True, slots=True)
class Measured:
    """A report, the moment, in UTC, at which it was made, and what was `declared` then."""

    report: TrafficReport
    at: datetime
    declared: str

    def is_of(self, infra: Infra) -> bool:
        """Whether infra.yml still says the same of who may reach whom."""
        return self.declared == declared(infra)


def declared(infra: Infra) -> str:
    """What decides who may reach whom, as a digest. Machines are left out: those that came later are told by their names."""
    domains = [
        (each.name, str(each.subnet), each.trust.value, each.internet) for each in infra.domains
    ]
    policies = [
        (each.source, each.target, each.protocol.value, each.ports, each.bidirectional)
        for each in infra.policies
    ]
    text = json.dumps([infra.firewall.value, domains, policies])
    return hashlib.sha256(text.encode()).hexdigest()


def keep(folder: Path, report: TrafficReport, infra: Infra, now: datetime | None = None) -> None:
    """Put it in the place of the one before. Raises OSError."""
    at = now or datetime.now(UTC)
    document = {
        "schema": SCHEMA,
        "at": at.isoformat(),
        "declared": declared(infra),
        "report": asdict(report),
    }
    text = json.dumps(document)
    path = folder / STATE_FOLDER / _FILE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(path, text, 0o600)


def kept(folder: Path) -> Measured | None:
    """The last one; None when there is none, or none that this version can read."""
    try:
        document = json.loads((folder / STATE_FOLDER / _FILE).read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            return None
        at = datetime.fromisoformat(document["at"])
        return Measured(_report(document["report"]), at, str(document["declared"]))
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
