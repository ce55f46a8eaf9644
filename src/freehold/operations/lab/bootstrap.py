"""Makes the system of a Debian image.

A program of its own, in namespaces of its own, started by `debian.py`:

    python -m freehold.operations.lab.bootstrap FOLDER SUITE MIRROR KEYRING [PACKAGE…]

leaves FOLDER/rootfs.squashfs. mmdebstrap mounts /proc and more in what it builds; in a private mount namespace none of
that can stay on the machine, and when this process is killed, the kernel ends all others with it.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from freehold.operations.lab import recipe
from freehold.system import namespaces
from freehold.system.processes import require

ROOM_NEEDED = (
    3 * 1024**2
)  # KiB of free memory from which on the work is done there (17 s against 26 s)
SAFE = namespaces.MS_NOSUID | namespaces.MS_NODEV | namespaces.MS_NOEXEC


def main(folder: Path, suite: str, mirror: str, keyring: str, *packages: str) -> int:
    """Fork process 1 of a new PID namespace, which does the work; its exit code."""
    namespaces.die_with_parent()
    namespaces.unshare(namespaces.CLONE_NEWPID | namespaces.CLONE_NEWNS)
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    namespaces.die_with_parent()
    try:
        _build(folder, suite, mirror, keyring, packages)
    except BaseException as error:  # noqa: BLE001 - handed to the starting process in words
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _build(folder: Path, suite: str, mirror: str, keyring: str, packages: Sequence[str]) -> None:
    namespaces.privatise_mounts()
    namespaces.replace_mount("proc", "/proc", "proc", SAFE)
    system = folder / "system"
    system.mkdir()
    if _free_memory() > ROOM_NEEDED:
        namespaces.mount("tmpfs", str(system), "tmpfs")
        os.chmod(system, 0o755)  # noqa: S103 - it becomes the root folder of a machine
    require(mmdebstrap_argv(system, suite, mirror, keyring, packages))
    recipe.adapt(system)
    squash = [
        "mksquashfs",
        str(system),
        str(folder / "rootfs.squashfs"),
        "-noappend",
        "-no-progress",
        "-quiet",
    ]
    require([*squash, "-comp", "zstd", "-Xcompression-level", "3"])


def mmdebstrap_argv(
    system: Path, suite: str, mirror: str, keyring: str, packages: Sequence[str] = ()
) -> list[str]:
    """The command line that unpacks and configures a minimal Debian with the recipe's packages and these."""
    return [
        "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", f"--keyring={keyring}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.LEFT_OUT),
        f"--include={','.join([*recipe.PACKAGES, *packages])}",
        suite, str(system), mirror,
    ]  # fmt: skip


def _free_memory() -> int:
    """MemAvailable of proc_meminfo(5), in KiB."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), *sys.argv[2:])
    os._exit(code)
