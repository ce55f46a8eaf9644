"""Where the estate's data goes: Incus's storage pool, and the disk and memory of the computer."""

import re
import shutil

from freehold.operations.doctor.finding import Finding, error, ok, warning
from freehold.operations.doctor.needs import needs_of
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.planning.capacity_demand import GIB, amount

LEAST_FREE = GIB


def pool(subject: Subject) -> Finding:
    """Whether the pool is there that the machines' disks go to, and how fast its kind is."""
    name = _pool_name(subject)
    found = subject.incus(f"/storage-pools/{name}")
    if found is None:
        return error(
            f"Incus has no storage pool {name!r}.",
            f"Make it, or name another (`storage:` below `defaults:`):\n    incus storage create {name} btrfs",
        )
    if found["driver"] == "dir":
        return warning(
            f"The pool {name!r} is of the kind `dir`: every new machine is a full copy, twenty take 25 s "
            "where btrfs takes 4.",
            "Make one that can share blocks, and name it in infra.yml (`storage:` below `defaults:`):\n"
            f"    incus storage create {name}-btrfs btrfs",
        )
    return ok(f"The pool {name!r} is of the kind {found['driver']}.")


def space(subject: Subject) -> Finding:
    """Whether the pool has room for what the estate is granted."""
    name = _pool_name(subject)
    found = subject.incus(f"/storage-pools/{name}/resources")
    if found is None:
        raise NotMeasured(f"Incus has no storage pool {name!r}.")
    total, used = found["space"]["total"], found["space"].get("used", 0)
    return _enough_disk(f"The pool {name!r}", total - used, subject)


def disk(subject: Subject) -> Finding:
    """Whether the file system of Incus's own folder has room."""
    folder = subject.state
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return _enough_disk(f"The file system of {folder}", free, subject)


def _enough_disk(place: str, free: int, subject: Subject) -> Finding:
    needs = needs_of(subject.infra)
    if free < LEAST_FREE:
        return error(f"{place} has only {amount(free)} free.", "Free some space, or enlarge it.")
    if free < needs.disk:
        return warning(
            f"{place} has {amount(free)} free; {needs.whose} may take up to {amount(needs.disk)}.",
            "Enlarge it, or lower the sizes in infra.yml, before the machines fill it.",
        )
    return ok(
        f"{place} has {amount(free)} free; {needs.whose} may take up to {amount(needs.disk)}."
    )


def memory(subject: Subject) -> Finding:
    """Whether there is memory for all machines at once."""
    text = subject.text("/proc/meminfo")
    fields = dict(re.findall(r"(?m)^(\w+):\s+(\d+) kB$", text or ""))
    if "MemAvailable" not in fields:
        raise NotMeasured("/proc/meminfo does not say.")
    available, total = int(fields["MemAvailable"]) * 1024, int(fields["MemTotal"]) * 1024
    needs = needs_of(subject.infra)
    found = f"{amount(available)} of {amount(total)} available; {needs.whose} may take up to {amount(needs.memory)}."
    if available < needs.memory:
        return warning(found, "Lower `memory:` in infra.yml, stop other programs, or add memory.")
    return ok(found)


def _pool_name(subject: Subject) -> str:
    return subject.infra.storage if subject.infra else "default"
