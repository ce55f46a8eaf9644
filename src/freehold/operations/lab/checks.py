"""Whether a lab can run on this machine at all. Called by `lab.py` before a start, and by `doctor`."""

import os
import sys
from collections.abc import Mapping

from freehold.diagnostics import Diagnostic
from freehold.operations.lab.daemon import BUNDLE, daemon_program
from freehold.system.processes import find_program

# program -> the package of Debian and Ubuntu that holds it
PROGRAMS: Mapping[str, str] = {
    "nft": "nftables",
    "dnsmasq": "dnsmasq-base",
    "mkfs.btrfs": "btrfs-progs",
    "unsquashfs": "squashfs-tools",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "xz": "xz-utils",
}


def refusals() -> list[Diagnostic]:
    """Everything that keeps a lab from starting here; empty when nothing does."""
    found = [*_wrong_system(), *_not_root()]
    return found or _missing_programs()


def _wrong_system() -> list[Diagnostic]:
    if sys.platform == "linux":
        return []
    return [
        Diagnostic(
            code="lab-needs-linux",
            summary="The lab runs on Linux only",
            detail=f"It is made of Linux namespaces; this is {sys.platform}.",
            hint="Run Freehold in a virtual machine with Debian or Ubuntu.",
        )
    ]


def _not_root() -> list[Diagnostic]:
    if os.geteuid() == 0:
        return []
    return [
        Diagnostic(
            code="lab-needs-root",
            summary="The lab needs root",
            detail="Making network and mount namespaces and running Incus in them is root's alone.",
            hint="Run the same command with `sudo` in front.",
        )
    ]


def _missing_programs() -> list[Diagnostic]:
    packages = {package for program, package in PROGRAMS.items() if find_program(program) is None}
    if daemon_program() is None:
        packages.add("incus-base")
    if find_program("incus", also=[f"{BUNDLE}/bin/incus"]) is None:
        packages.add("incus-client")
    if not packages:
        return []
    return [
        Diagnostic(
            code="lab-programs-missing",
            summary="Programs that the lab needs are not installed",
            detail=f"Missing packages: {', '.join(sorted(packages))}.",
            hint="Run `scripts/prerequisites` in Freehold's folder (`make demo` does it too), or install them yourself.",
        )
    ]
