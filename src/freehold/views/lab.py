"""The lab's state, for people and as JSON. Called by `cli.lab`."""

from typing import Any, TextIO

from freehold.operations.lab import LabStatus
from freehold.operations.lab_losses import Losses
from freehold.views.terminal import visible
from freehold.views.words import count, listed

_GIB = 1024**3


def lab_document(status: LabStatus) -> dict[str, Any]:
    """As `lab status --json` prints it; `disk_used` in bytes."""
    return {
        "schema": 1,
        "kind": "lab",
        "root": str(status.root),
        "running": status.running,
        "pid": status.pid,
        "since": status.since.isoformat() if status.since else None,
        "incus_version": status.incus_version,
        "machines": status.machines,
        "storage": status.storage,
        "disk_used": status.disk_used,
        "egress": status.egress,
        "egress_pid": status.egress_pid,
    }


def render_lab(status: LabStatus, stream: TextIO) -> None:
    """What the lab is, in a few lines."""
    stream.write(f"The lab {'is running' if status.running else 'is not running'}.\n")
    if status.storage is None:
        stream.write(f"There is none yet in {status.root}. To make it:\n    freehold lab start\n")
        return
    for name, value in _facts(status):
        stream.write(f"  {name:<9} {value}\n")


def _facts(status: LabStatus) -> list[tuple[str, str]]:
    facts = [
        ("folder", visible(str(status.root))),
        ("storage", f"{status.storage}, {status.disk_used / _GIB:.1f} GiB on disk"),
    ]
    if not status.running:
        return facts
    since = f"{status.since.astimezone():%Y-%m-%d %H:%M}" if status.since else "unknown"
    return [
        *facts,
        ("since", f"{since}, process {status.pid}"),
        ("incus", status.incus_version or "does not answer"),
        ("machines", "unknown" if status.machines is None else str(status.machines)),
        ("egress", _egress(status)),
    ]


def _egress(status: LabStatus) -> str:
    if not status.egress:
        return "off"
    if status.egress_pid is None:
        return "has ended; freehold lab start brings it back"
    return f"on, process {status.egress_pid}"


def losses_in_words(losses: Losses) -> str:
    """What a reset deletes, in a sentence."""
    parts = []
    if losses.machines:
        names = listed([visible(name) for name in losses.machines])
        parts.append(f"{count(len(losses.machines), 'machine')} ({names})")
    if losses.volumes:
        names = listed([visible(name) for name in losses.volumes])
        parts.append(f"{count(len(losses.volumes), 'volume')} ({names})")
    if not losses.certain:
        parts.append("all their volumes")
    return f"The lab is deleted with {' and '.join(parts)}, for good."
