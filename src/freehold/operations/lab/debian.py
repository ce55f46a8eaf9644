"""Debian images for the lab's containers, made on the spot from the mirror that this machine's apt already uses.

Called by `images.py`. `bootstrap.py` does the work in a process of its own.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import freehold
from freehold.diagnostics import Diagnostic
from freehold.operations.lab import recipe
from freehold.operations.lab.image_cache import write_metadata
from freehold.system.processes import find_program, require, run

HOST, DOCKER_HOST = "debian/13-host", "debian/13-docker"
# image name -> Debian's name of the release, and packages beyond those of every image
IMAGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "debian/12": ("bookworm", ()),
    "debian/13": ("trixie", ()),
    HOST: ("trixie", recipe.HOST_PACKAGES),
    DOCKER_HOST: ("trixie", recipe.HOST_PACKAGES + recipe.DOCKER_PACKAGES),
}
ONLY_MADE_HERE = frozenset({HOST, DOCKER_HOST})  # names of our own, which no image server knows
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MIRROR_VARIABLE = "FREEHOLD_DEBIAN_MIRROR"
BUILD_SECONDS = 1800.0


def build(name: str, folder: Path, mirror: str) -> None:
    """Make the image `name` (a key of IMAGES) in the folder. Takes about 20 s; raises BackendError."""
    suite, packages = IMAGES[name]
    program = [sys.executable, "-P", "-m", "freehold.operations.lab.bootstrap"]
    variables = {"PYTHONPATH": str(Path(freehold.__file__).parents[1]), **apt_proxies()}
    arguments = [str(folder), suite, mirror, str(KEYRING), *packages]
    require([*program, *arguments], environment=variables, folder=Path("/"), timeout=BUILD_SECONDS)
    shutil.rmtree(folder / "system")
    write_metadata(folder / "metadata.tar.xz", "Debian", suite, recipe.VERSION)


def obstacle(name: str) -> Diagnostic | None:
    """Why the image cannot be made on this machine; None when it can."""
    missing = [program for program in ("mmdebstrap", "mksquashfs") if find_program(program) is None]
    if missing or not KEYRING.exists():
        return _cannot(
            name,
            f"What it needs is not installed: {', '.join(missing) or KEYRING}.",
            "Run `scripts/prerequisites` in Freehold's folder.",
        )
    if debian_mirror() is None:
        return _cannot(
            name,
            "apt on this machine knows no Debian mirror.",
            f"On Debian, run `apt-get update`; elsewhere name a mirror with {MIRROR_VARIABLE}=http://….",
        )
    return None


def debian_mirror() -> str | None:
    """$FREEHOLD_DEBIAN_MIRROR, else the mirror in this machine's apt configuration; None when there is none.

    Security and other side archives have other contents; the archive proper is the one whose release is not
    followed by a dash (`bookworm`, not `bookworm-security`).
    """
    if given := os.environ.get(MIRROR_VARIABLE):
        return given
    if find_program("apt-get") is None:
        return None
    fields = "$(ORIGIN)|$(COMPONENT)|$(CODENAME)|$(REPO_URI)"
    listed = run(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]).output
    for line in listed.splitlines():
        origin, component, codename, address = line.split("|", 3)
        if (origin, component) == ("Debian", "main") and "-" not in codename and _is_web(address):
            return address
    return None


def apt_proxies() -> dict[str, str]:
    """The proxies of this machine's apt, as the variables that apt inside mmdebstrap obeys."""
    names = {"http_proxy": "Acquire::http::Proxy", "https_proxy": "Acquire::https::Proxy"}
    found: dict[str, str] = {}
    for variable, setting in names.items():
        # A dump also lists what is below the setting: proxies for single hosts.
        for line in run(["apt-config", "--format", "%f %v%n", "dump", setting]).output.splitlines():
            key, _, value = line.partition(" ")
            if key == setting and value not in ("", "DIRECT", "false"):
                found[variable] = value
    return found


def _is_web(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def _cannot(name: str, why: str, hint: str) -> Diagnostic:
    return Diagnostic(
        code="lab-image-not-buildable",
        summary="An image cannot be made here",
        detail=f"`{name}`: {why}",
        hint=hint,
    )
