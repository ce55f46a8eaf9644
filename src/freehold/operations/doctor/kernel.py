"""The kernel's limits and the clock, against the number of machines."""

import re
import time
from dataclasses import dataclass

from freehold.operations.doctor.finding import Finding, error, ok, warning
from freehold.operations.doctor.needs import needs_of
from freehold.operations.doctor.remedies import lasting_sysctl
from freehold.operations.doctor.subject import Subject
from freehold.system.clock import is_synchronised

IDS_OF_A_CONTAINER = 65536  # doc/userns-idmap of Incus
EARLIEST = 1_750_000_000  # seconds since 1970: no clock that is right says less


@dataclass(frozen=True, slots=True)
class Limit:
    """A sysctl, how much of it a machine takes (rounded up from what was measured), and what runs short of it.

    Unprivileged containers share one user id of the host, and with it these limits.
    """

    name: str
    each: int
    consequence: str


INSTANCES = Limit(
    "fs.inotify.max_user_instances", 8, "systemd in the machines then fails to start units"
)
WATCHES = Limit(
    "fs.inotify.max_user_watches", 1024, "programs in the machines then cannot watch files"
)
KEYS = Limit(
    "kernel.keys.maxkeys", 14, "container engines in the machines then say `disk quota exceeded`"
)


def enough(limit: Limit, subject: Subject) -> Finding:
    """Whether the limit suffices for the estate's machines."""
    value = subject.number(f"/proc/sys/{limit.name.replace('.', '/')}")
    needs = needs_of(subject.infra)
    wanted = limit.each * needs.machines
    found = f"{limit.name} is {value}; {needs.whose} may take {wanted}"
    if value >= wanted:
        return ok(f"{found}.")
    enough_for_long = 1 << wanted.bit_length()
    return warning(
        f"{found}: {limit.consequence}.",
        lasting_sysctl({limit.name: enough_for_long}),
    )


def subordinate_ids(subject: Subject) -> Finding:
    """Whether root has ids to give to containers. Where the files do not exist, Incus takes a range by itself."""
    if subject.in_lab:
        return ok("The lab brings its own ranges.")
    files = {path: subject.text(path) for path in ("/etc/subuid", "/etc/subgid")}
    if all(text is None for text in files.values()):
        return ok("Neither /etc/subuid nor /etc/subgid exists: Incus takes a range by itself.")
    for path, text in files.items():
        if (count := _ids_of_root(text or "")) < IDS_OF_A_CONTAINER:
            has = f"only {count} ids" if count else "no ids"
            return error(
                f"root has {has} in {path}: unprivileged containers need {IDS_OF_A_CONTAINER}.",
                "Give it some, then restart Incus:\n"
                "    echo 'root:1000000:1000000000' | sudo tee -a /etc/subuid /etc/subgid",
            )
    return ok("root has ranges in /etc/subuid and /etc/subgid.")


def _ids_of_root(text: str) -> int:
    """The size of root's largest range (subuid(5): name or number, first id, count)."""
    found = re.findall(r"(?m)^(?:root|0):\d+:(\d+)\s*$", text)
    return max(map(int, found), default=0)


def clock(subject: Subject) -> Finding:
    """Whether the time is right. Certificates, apt and logs depend on it."""
    now = time.time()
    remedy = "Install systemd-timesyncd or chrony, then:\n    sudo timedatectl set-ntp true"
    if now < EARLIEST:
        return error(f"The clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}.", remedy)
    said = f"The clock says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC"
    if is_synchronised():
        return ok(f"{said} and is kept right.")
    return warning(f"{said}; the kernel knows of nobody who keeps it right.", remedy)
