"""Namespaces, mounts and cgroups of Linux, as the lab needs them: a few system calls, no programs.

Called by `operations.lab` and `system.relay`. What is made here belongs to the calling process and disappears with it. Facts are from
namespaces(7), mount(2), cgroups(7), lo from netdevice(7).
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    """Call a function of the C library that returns -1 and sets errno on failure; raises OSError."""
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the given namespaces for new ones (the PID namespace: for the next child). Raises OSError."""
    _call("unshare", ctypes.c_int(flags))


def enter_network(pid: int) -> None:
    """Have the calling thread, and no other, in the network namespace of process `pid` from here on (setns(2)). Raises OSError."""
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", ctypes.c_int(handle), ctypes.c_int(CLONE_NEWNET))
    finally:
        os.close(handle)


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    """mount(2) without data. Raises OSError."""
    _call(
        "mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None
    )  # fmt: skip


def unmount(target: str) -> None:
    """Take away the topmost mount at `target` with all below it, at once and whoever uses it. Raises OSError."""
    _call("umount2", target.encode(), ctypes.c_int(MNT_DETACH))


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends (PR_SET_PDEATHSIG, prctl(2))."""
    _call("prctl", ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGKILL))


def privatise_mounts() -> None:
    """From here on no mount made in this mount namespace shows anywhere else, nor the other way round."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)


def replace_mount(source: str, target: str, kind: str, flags: int = 0) -> None:
    """Mount a file system of `kind` in the place of whatever is mounted at `target`."""
    with contextlib.suppress(OSError):  # EINVAL: nothing was mounted there
        unmount(target)
    mount(source, target, kind, flags)


def bind(source: Path, target: Path) -> None:
    """Show the file or folder `source` at `target`, which must exist. Raises OSError."""
    mount(str(source), str(target), flags=MS_BIND)


def loopback_up() -> None:
    """Bring the interface `lo` of this network namespace up. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(handle, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags | _IFF_UP, b""))


def enter_argv(pid: int, argv: Sequence[str], folder: str) -> list[str]:
    """The command line that runs `argv` in all namespaces of process `pid`, in `folder` as seen there."""
    namespaces = ["--mount", "--net", "--pid", "--uts", "--cgroup"]
    return ["nsenter", "--target", str(pid), *namespaces, "--", "env", "-C", folder, "--", *argv]


def cgroup2_mount() -> Path | None:
    """Where this mount namespace has the cgroup v2 hierarchy (proc_pid_mountinfo(5)); None when it has not."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[0] == "cgroup2":
            return Path(before.split()[4])
    return None


def remove_cgroup(folder: Path) -> bool:
    """Remove a cgroup and those below it, as far as no process is in them. Whether nothing is left."""
    for path, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(path)
    return not folder.exists()
