"""Images on this machine's disk, shared by all labs: a folder each, there whole or not at all.

Called by `images.py`. A folder holds Incus's split form of an image, `metadata.tar.xz` and `rootfs.squashfs`
(https://linuxcontainers.org/incus/docs/main/reference/image_format/).
"""

import hashlib
import io
import json
import os
import platform
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from freehold.system.files import locked

# What the kernel calls an architecture -> what Debian and image servers call it.
ARCHITECTURES = {
    "x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "i686": "i386", "riscv64": "riscv64",
    "ppc64le": "ppc64el", "s390x": "s390x",
}  # fmt: skip
UNFINISHED = ".unfinished-"
# How an image that was made here is known in Incus, and by which version of the recipe it was made.
MADE_HERE = "made by Freehold"
RECIPE = "freehold.recipe"


def architecture() -> str:
    """This machine's architecture in Debian's words, such as `amd64`."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


@dataclass(frozen=True, slots=True)
class Image:
    """An image in the cache."""

    folder: Path

    @property
    def metadata(self) -> Path:
        return self.folder / "metadata.tar.xz"

    @property
    def system(self) -> Path:
        return self.folder / "rootfs.squashfs"

    def fingerprint(self) -> str:
        """How Incus names the image: SHA-256 over both files, one after the other."""
        digest = hashlib.sha256()
        for path in (self.metadata, self.system):
            with path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class ImageCache:
    """The images kept in `folder`, each under a key such as `debian-13-amd64-built-1`."""

    folder: Path

    def find(self, key: str) -> Image | None:
        """The image under this key, if it is there."""
        image = Image(self.folder / key)
        return image if image.metadata.exists() and image.system.exists() else None

    @contextmanager
    def making(self, name: str) -> Iterator[None]:
        """While one process makes the image `name`, others wait here; then they find it."""
        lock = self.folder / f".{name.replace('/', '-')}.lock"
        with locked(lock):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)

    @contextmanager
    def new(self, key: str) -> Iterator[Path]:
        """A folder to make an image in; it takes its place in the cache when all went well.

        Called within `making`. What a killed attempt at the same key left is removed first.
        """
        for left in self.folder.glob(f"{UNFINISHED}{key}-*"):
            shutil.rmtree(left)
        made = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}{key}-", dir=self.folder))
        try:
            yield made
            final = self.folder / key
            shutil.rmtree(final, ignore_errors=True)
            os.rename(made, final)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def write_metadata(target: Path, system: str, release: str, recipe: int) -> None:
    """The metadata tarball of a container image that Freehold made: properties, and names from templates."""
    described = {
        "architecture": platform.machine(),
        "creation_date": int(time.time()),
        "properties": {
            "description": f"{system} {release}, {MADE_HERE}",
            RECIPE: str(recipe),
            "os": system,
            "release": release,
            "architecture": architecture(),
        },
        "templates": {
            "/etc/hostname": {"when": ["create", "copy", "rename"], "template": "hostname.tpl"},
            "/etc/hosts": {"when": ["create", "copy", "rename"], "template": "hosts.tpl"},
        },
    }
    hosts = "127.0.0.1 localhost\n127.0.1.1 {{ container.name }}\n::1 localhost ip6-localhost\n"
    with tarfile.open(target, "w:xz") as archive:
        # JSON is YAML, and this keeps the loader of infra.yml the only user of a YAML library.
        _add(archive, "metadata.yaml", json.dumps(described, indent=2) + "\n")
        _add(archive, "templates/hostname.tpl", "{{ container.name }}\n")
        _add(archive, "templates/hosts.tpl", hosts)


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text.encode())
    member.mode = 0o644
    archive.addfile(member, io.BytesIO(text.encode()))
