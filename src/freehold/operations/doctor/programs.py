"""The programs that the lab needs, with their versions, and what runs them."""

import os
import platform
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from freehold.operations.doctor.finding import Finding, error, ok, warning
from freehold.operations.doctor.subject import PATIENCE, Subject
from freehold.operations.lab.checks import PROGRAMS, refusals
from freehold.operations.lab.daemon import BUNDLE, USUAL_PLACES
from freehold.system.processes import find_program, run

_INSTALL = "Install the packages yourself, or run in Freehold's folder:\n    scripts/prerequisites"
_INCUS = {"incusd": USUAL_PLACES, "incus": (f"{BUNDLE}/bin/incus",)}
_ALSO = ("unshare", "ping")  # not needed to start, but by people and by the demonstration
_ASKED = {
    "ip": "-V",
    "ping": "-V",
    "dnsmasq": "--version",
    "unsquashfs": "-version",
    "mksquashfs": "-version",
}


def computer(subject: Subject) -> Finding:
    """Whether this is Linux, which, and whether we are root."""
    name = re.search(r'(?m)^PRETTY_NAME="?([^"\n]*)', subject.text("/etc/os-release") or "")
    said = f"{name[1] if name else platform.system()}, kernel {platform.release()}, {platform.machine()}"
    if platform.system() != "Linux":
        return error(
            f"{said}.", "Run Freehold on Debian or Ubuntu, or in a virtual machine with one."
        )
    if os.geteuid() != 0:
        return ok(f"{said}; not run as root, so that some of this cannot be measured.")
    return ok(f"{said}.")


def lab_programs(subject: Subject) -> Finding:
    """Whether everything is installed that the lab starts."""
    names = {**_INCUS, **dict.fromkeys((*PROGRAMS, *_ALSO), ())}
    paths = {name: find_program(name, also) for name, also in names.items()}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        packages = sorted({PROGRAMS.get(name, name) for name in missing})
        said = f"Not installed: {', '.join(packages)}."
        return (
            error(said, _INSTALL)
            if subject.in_lab
            else warning(f"{said} The lab needs them.", _INSTALL)
        )
    found = {name: path for name, path in paths.items() if path is not None}
    with ThreadPoolExecutor(len(found)) as threads:
        versions = threads.map(_version, found, found.values())
    return ok(
        ", ".join(
            f"{name} {version}".strip() for name, version in zip(found, versions, strict=True)
        )
        + "."
    )


def lab_running(subject: Subject) -> Finding:
    """Whether the lab runs, and what keeps it from running."""
    if subject.lab is not None:
        return ok("The lab is running.")
    for refusal in refusals():
        return error(f"{refusal.summary}. {refusal.detail}", refusal.hint)
    return error("The lab is not running.", "Start it:\n    freehold lab start")


def _version(name: str, path: Path) -> str:
    """What a program says its version is; nothing when it says nothing of the kind."""
    done = run([str(path), _ASKED.get(name, "--version")], timeout=PATIENCE)
    found = re.search(
        r"\d+\.\d+[\w.]*|(?<=iputils )\d+|(?<=iproute2-)[\w.]+", done.output + done.errors
    )
    return found[0] if found else ""
