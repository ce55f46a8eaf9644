"""Makes the emulated computer's disk and the image of the virtual machine that will run in it. Called by `computer.py`.

Takes some minutes, once: the results are kept beside the lab's images, under a key of the recipe. What makes the disks
(sfdisk, syslinux, qemu-img) is part of the computer's own system and is run in its folder; nothing is installed here.
"""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.operations.lab.debian import KEYRING, apt_proxies, debian_mirror
from freehold.operations.lab.image_cache import ImageCache
from freehold.operations.lab.layout import default_cache
from tests.vm import guest_image, recipe
from tests.vm.programs import inside, run

_PREFIX = "vm-computer-"


@dataclass(frozen=True, slots=True)
class Disks:
    """What was made. `system` is the computer's system as a folder, in which its programs are run."""

    folder: Path

    @property
    def system(self) -> Path:
        return self.folder / "system"

    @property
    def computer(self) -> Path:
        return self.folder / "computer.img"

    @property
    def guest(self) -> Path:
        """The folder with the image of the virtual machine: `metadata.tar.xz` and `disk.qcow2`."""
        return self.folder / "guest"

    def boot(self, name: str) -> Path:
        """The computer's kernel (`vmlinuz`) or its first file system (`initrd.img`)."""
        return next((self.system / "boot").glob(f"{name}-*"))


def disks() -> Disks:
    """From the cache, or made now; disks of older recipes are deleted then."""
    cache = ImageCache(default_cache())
    cache.folder.mkdir(parents=True, exist_ok=True)
    key = _PREFIX + _recipe_digest()
    with cache.making(_PREFIX.rstrip("-")):
        made = Disks(cache.folder / key)
        if not made.folder.exists():
            for old in cache.folder.glob(f"{_PREFIX}*"):
                shutil.rmtree(old)
            with cache.new(key) as folder:
                folder.chmod(0o755)
                _make(Disks(folder))
    return made


def _make(made: Disks) -> None:
    guest = made.folder / "guest-system"
    _bootstrap(made.system, recipe.COMPUTER_PACKAGES)
    _bootstrap(guest, recipe.GUEST_PACKAGES)
    _settle(made.system, recipe.COMPUTER_FILES, recipe.COMPUTER_MASKED)
    _settle(guest, recipe.GUEST_FILES, recipe.GUEST_MASKED)
    (made.system / recipe.PAYLOAD.lstrip("/")).mkdir(parents=True)
    guest_image.cut_down(guest)
    made.guest.mkdir()
    guest_image.make_disk(made.system, guest, made.guest)
    _describe(made.guest / "metadata.tar.xz")
    shutil.rmtree(guest)
    guest_image.file_system(made.computer, made.system, size=recipe.COMPUTER_DISK * 1024)


def _bootstrap(system: Path, packages: Sequence[str]) -> None:
    """A minimal Debian with these packages. When this process is killed, all that it started ends too."""
    mirror = debian_mirror()
    assert mirror is not None, "apt on this machine knows no Debian mirror"
    preferences = system.with_suffix(".preferences")
    preferences.write_text(recipe.FROM_BACKPORTS)
    place = "/etc/apt/preferences.d/from-backports"
    private = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    argv = [
        *private, "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", "--format=directory",
        f"--keyring={KEYRING}", "--aptopt=APT::Install-Recommends \"false\"",
        f"--setup-hook=mkdir -p \"$1/etc/apt/preferences.d\" && cp '{preferences}' \"$1{place}\"",
        f"--include={','.join(packages)}", recipe.SUITES[0], str(system),
        *(f"deb {mirror} {suite} main" for suite in recipe.SUITES),
    ]  # fmt: skip
    run(argv, **apt_proxies())
    preferences.unlink()


def _settle(system: Path, files: Mapping[str, str], masked: Sequence[str]) -> None:
    """What makes a system of a folder: its own files, no units that only cost time, a first file system that is small."""
    for name in ("etc/hostname", "etc/resolv.conf", "etc/apt/sources.list"):
        (system / name).unlink(missing_ok=True)
    for name, text in files.items():
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        (system / name).write_text(text)
    units = system / "etc/systemd/system"
    for unit in masked:
        _link(units / unit, "/dev/null")
    _link(units / "default.target", "/lib/systemd/system/multi-user.target")
    run(inside(system, ["update-initramfs", "-u"]))


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _describe(archive: Path) -> None:
    path = archive.with_name("metadata.yaml")
    path.write_text(json.dumps(recipe.GUEST_METADATA) + "\n")
    with tarfile.open(archive, "w:xz") as tar:
        tar.add(path, "metadata.yaml")
    path.unlink()


def _recipe_digest() -> str:
    """Another recipe, or another way of following it, makes other disks."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    made_by = [
        path for path in files if path.stem in {"recipe", "disks", "guest_image", "programs"}
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in made_by)).hexdigest()[:12]
