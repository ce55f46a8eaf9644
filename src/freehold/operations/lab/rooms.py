"""Furnishes the lab's new namespaces: mounts, its own cgroup, `lo`, subordinate ids. Called once, by `holder.py`.

Each step is explained in docs/decisions/0003-lab-namespaces.md. Nothing done here is seen outside the namespaces,
except the lab's own cgroup, which `lab.py` removes.
"""

import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path

from freehold.operations.lab.layout import Layout
from freehold.system import namespaces

CGROUPS = Path("/sys/fs/cgroup")
SAFE = namespaces.MS_NOSUID | namespaces.MS_NODEV | namespaces.MS_NOEXEC
SUBORDINATE_IDS = "root:1000000:1000000000\n"


def furnish(place: Layout) -> None:
    """Make the namespaces this process is in a host of its own. Raises OSError."""
    namespaces.privatise_mounts()
    socket.sethostname("freehold-lab")
    namespaces.replace_mount("proc", "/proc", "proc", SAFE)
    namespaces.replace_mount("sysfs", "/sys", "sysfs", SAFE)
    _enter_own_cgroup(place.cgroup)
    namespaces.loopback_up()
    _own_subordinate_ids(place)
    _empty_temporary(place)


def _enter_own_cgroup(name: str) -> None:
    """Move into the leaf `init.scope` of the lab's cgroup and see that cgroup as the root of the hierarchy.

    A cgroup namespace is rooted where its maker is at that moment, hence two moves. The leaf keeps the lab's root
    free of processes, without which cgroup v2 passes no controllers down; LXC knows to look above an `init.scope`.
    A plain cgroup2 mount also hides the v1 controllers of a machine that still has them: they are not the lab's.
    """
    namespaces.mount("cgroup2", str(CGROUPS), "cgroup2", SAFE)
    own = CGROUPS / name
    namespaces.remove_cgroup(own)  # what a killed holder left
    own.mkdir(exist_ok=True)
    (own / "cgroup.procs").write_text("0")
    namespaces.unshare(namespaces.CLONE_NEWCGROUP)
    namespaces.replace_mount("cgroup2", str(CGROUPS), "cgroup2", SAFE)
    leaf = CGROUPS / "init.scope"
    leaf.mkdir(exist_ok=True)
    (leaf / "cgroup.procs").write_text("0")
    _pass_controllers_down()


def _pass_controllers_down() -> None:
    """Let the lab's machines have limits, as far as this machine gives its top cgroups controllers.

    incusd takes for available what its own cgroup, the leaf, has.
    """
    for controller in (CGROUPS / "cgroup.controllers").read_text().split():
        with suppress(OSError):  # some cannot be had by a cgroup that has processes below it
            (CGROUPS / "cgroup.subtree_control").write_text(f"+{controller}")


def _own_subordinate_ids(place: Layout) -> None:
    """Give root a range of ids for containers, in the lab's view of the two files only.

    Where a file does not exist there is nothing to cover, and Incus takes this same range by itself.
    """
    place.subordinate.write_text(SUBORDINATE_IDS)
    for target in (Path("/etc/subuid"), Path("/etc/subgid")):
        if target.exists():
            namespaces.bind(place.subordinate, target)


def _empty_temporary(place: Layout) -> None:
    shutil.rmtree(place.temporary, ignore_errors=True)
    for folder in (place.temporary, place.incus, place.client):
        folder.mkdir(exist_ok=True)
        os.chmod(folder, 0o711)  # noqa: S103 - machines' users pass through, as in Incus's own folder
