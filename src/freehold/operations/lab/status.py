"""What a lab is at this moment. Called by `lab.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from freehold.diagnostics import BackendError
from freehold.operations.lab import api
from freehold.operations.lab.layout import Layout
from freehold.operations.lab.options import recorded
from freehold.operations.lab.record import read_holder
from freehold.system.processes import run

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class LabStatus:
    """What the lab is at this moment. `pid` is the holder's; `disk_used` is in bytes."""

    root: Path
    running: bool
    pid: int | None = None
    since: datetime | None = None
    incus_version: str | None = None
    machines: int | None = None
    storage: str | None = None
    disk_used: int = 0


def look(place: Layout) -> LabStatus:
    """The lab as it is; of an Incus that does not answer, version and machines are None."""
    options = recorded(place)
    storage = options.storage if options else None
    used = _disk_used(place.root)
    if (holder := read_holder(place)) is None:
        return LabStatus(place.root, False, storage=storage, disk_used=used)
    process, since = holder
    version = _unless_unreachable(lambda: api.version(place.socket))
    machines = _unless_unreachable(lambda: api.machine_count(place.socket))
    return LabStatus(place.root, True, process.pid, since, version, machines, storage, used)


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
