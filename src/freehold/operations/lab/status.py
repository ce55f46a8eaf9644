"""What a lab is at this moment. Called by `lab.py`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from freehold.diagnostics import BackendError
from freehold.operations.lab import api
from freehold.operations.lab.egress.process import running
from freehold.operations.lab.layout import Layout
from freehold.operations.lab.options import recorded
from freehold.operations.lab.record import read_holder
from freehold.system.processes import run

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class LabStatus:
    """What the lab is at this moment. `pid` is the holder's; `disk_used` is in bytes.

    `egress`: whether the lab is to have it; `egress_pid` is its proxy's, None when that does not run.
    """

    root: Path
    running: bool
    pid: int | None = None
    since: datetime | None = None
    incus_version: str | None = None
    machines: int | None = None
    storage: str | None = None
    disk_used: int = 0
    egress: bool = False
    egress_pid: int | None = None


def look(place: Layout) -> LabStatus:
    """The lab as it is; of an Incus that does not answer, version and machines are None."""
    options = recorded(place)
    still = LabStatus(
        root=place.root,
        running=False,
        storage=options.storage if options else None,
        disk_used=_disk_used(place.root),
        egress=options.egress if options else False,
    )
    if (holder := read_holder(place)) is None:
        return still
    process, since = holder
    proxy = running(place)
    return replace(
        still,
        running=True,
        pid=process.pid,
        since=since,
        incus_version=_unless_unreachable(lambda: api.version(place.socket)),
        machines=_unless_unreachable(lambda: api.machine_count(place.socket)),
        egress_pid=proxy.pid if proxy else None,
    )


def _unless_unreachable(question: Callable[[], Value]) -> Value | None:
    try:
        return question()
    except BackendError:
        return None


def _disk_used(root: Path) -> int:
    """What the folder takes of the disk, in bytes; a sparse loop file counts for what was written to it.

    A file that goes while du reads, or may not be read, is left out of the sum.
    """
    said = run(["du", "-sx", "-B1", "--", str(root)]).output.split()
    return int(said[0]) if said else 0
