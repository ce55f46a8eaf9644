"""What was chosen for the lab: its storage, for good, and egress. Kept in `lab.json`, whose presence makes a folder a lab.

Called by `lab.py`.
"""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from freehold.diagnostics import BackendError, Diagnostic, UsageError, did_you_mean
from freehold.operations.lab.layout import Layout
from freehold.system.files import write_atomically

STORAGES = ("btrfs", "dir")
GIB = 1024**3
LARGEST = 30 * GIB
SMALLEST = 2 * GIB
KEPT_FREE = GIB  # of the machine's disk, whatever the lab's machines write


@dataclass(frozen=True, slots=True)
class Options:
    """`storage` is the pool's driver; `size` the largest size of its loop file in bytes (btrfs only).

    `egress`: whether machines may have packages through a proxy on this machine.
    """

    storage: str
    size: int
    egress: bool = False


def recorded(place: Layout) -> Options | None:
    """What was chosen last; None when there is no lab in the folder."""
    try:
        found = json.loads(place.options.read_text())
    except FileNotFoundError:
        return None
    return Options(storage=found["storage"], size=found["size"], egress=found.get("egress", False))


def settle(place: Layout, storage: str | None, egress: bool | None = None) -> Options:
    """The lab's options: those it has (None: as they are), or for a new lab those asked for; changes are recorded.

    Raises UsageError for a storage that does not exist or is not what the lab has, BackendError when the disk is full.
    """
    if storage not in (None, *STORAGES):
        raise UsageError(_unknown_storage(str(storage)))
    if (existing := recorded(place)) is not None:
        if storage not in (None, existing.storage):
            raise UsageError(_other_storage(place.root, existing.storage, str(storage)))
        if egress in (None, existing.egress):
            return existing
        chosen = replace(existing, egress=bool(egress))
    else:
        size = _largest_size(place.root)
        chosen = Options(storage=storage or "btrfs", size=size, egress=bool(egress))
    write_atomically(place.options, json.dumps({"schema": 1, **asdict(chosen)}, indent=2) + "\n")
    return chosen


def _largest_size(root: Path) -> int:
    """The loop file grows as it is written, so its size only says where it must stop: before the disk is full."""
    free = shutil.disk_usage(root).free - KEPT_FREE
    if free < SMALLEST:
        raise BackendError(_disk_full(root, free + KEPT_FREE))
    return min(LARGEST, free // GIB * GIB)


def _unknown_storage(storage: str) -> Diagnostic:
    return Diagnostic(
        code="lab-storage-unknown",
        summary="The lab has no such storage",
        detail=f"`{storage}` is not a storage of the lab.",
        hint=did_you_mean(storage, STORAGES),
    )


def _other_storage(root: Path, has: str, wanted: str) -> Diagnostic:
    return Diagnostic(
        code="lab-storage-fixed",
        summary="The lab's storage cannot be changed",
        detail=f"The lab in {root} was made with `{has}`, not `{wanted}`.",
        hint="`freehold lab reset` deletes it with all its machines; then start it anew.",
    )


def _disk_full(root: Path, free: int) -> Diagnostic:
    return Diagnostic(
        code="lab-disk-full",
        summary="There is too little disk space for a lab",
        detail=f"{root} has {free / GIB:.1f} GiB free; a lab needs {(SMALLEST + KEPT_FREE) // GIB} GiB.",
        hint="Free some space, or choose a folder on another disk with FREEHOLD_LAB.",
    )
