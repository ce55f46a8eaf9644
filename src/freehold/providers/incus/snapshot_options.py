"""A declared schedule of snapshots as options of the instance, for what Incus carries out by itself. Used by `instances`.

Incus makes them while the machine runs. Its own `snapshots.expiry` is left alone: Incus 6.0 takes it for snapshots by hand too,
and those nobody may thin; the timer of the host thins what the schedule made. Source: Incus's options of instances (6.0).
"""

from freehold.model import Machine
from freehold.model.snapshots import SCHEDULED

PATTERN = f"{SCHEDULED}{{{{ creation_date|date:'20060102-1504' }}}}"
"""A template of pongo2: the date as Go writes it, so that `model.snapshots.is_scheduled_name` knows the name."""


def snapshot_options(machine: Machine) -> dict[str, str]:
    """The options; none for a machine without a schedule, or with one that Incus cannot carry out."""
    if not machine.is_scheduled_by_incus:
        return {}
    return {
        "snapshots.schedule": f"@{machine.snapshots.schedule}",
        "snapshots.pattern": PATTERN,
    }
