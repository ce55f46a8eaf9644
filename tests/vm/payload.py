"""What a run brings into the emulated computer: Freehold with all that it needs, and the images. Called by `computer.py`.

One squashfs that nothing compresses: reading it must cost the emulated processor nothing.
"""

import compileall
import py_compile
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

import freehold
from freehold.config.collection import collection_folder
from freehold.operations.lab import images
from freehold.operations.lab.image_cache import ImageCache
from freehold.operations.lab.layout import default_cache
from tests.vm.disks import Disks
from tests.vm.programs import run

PYTHON = "3.11"
"""What the computer has; packages with compiled parts are for one version only."""

FREEHOLD = "/opt/freehold/bin/freehold"
"""The command in the computer."""

_STARTER = """\
#!/opt/freehold/bin/python
from freehold.cli.entry import main
main()
"""


def make_payload(disks: Disks, folder: Path) -> Path:
    """The squashfs, made in this folder."""
    root = folder / "payload"
    _environment(root)
    shutil.copytree(disks.guest, root / "images/guest")
    _container_image(root / "images/container")
    made = folder / "payload.squashfs"
    run(["mksquashfs", str(root), str(made), "-noI", "-noD", "-noF", "-noX", "-quiet", "-no-progress"])  # fmt: skip
    shutil.rmtree(root)
    return made


def _environment(root: Path) -> None:
    """A virtual environment of the computer's own Python, with what this test itself imports."""
    (root / "bin").mkdir(parents=True)
    (root / "bin/python").symlink_to(f"/usr/bin/python{PYTHON}")
    (root / "bin/freehold").write_text(_STARTER)
    (root / "bin/freehold").chmod(0o755)
    (root / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    site = root / f"lib/python{PYTHON}/site-packages"
    for name in sorted(set(_needs("freehold"))):
        _copy(name, site)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(freehold.__file__).parent, site / "freehold", ignore=ignored)
    collections = collection_folder().parents[1]
    shutil.copytree(collections, site / "ansible_collections", ignore=ignored)
    # Nobody can write there, so what is compiled now is all that ever will be.
    hashed = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(site, quiet=2, invalidation_mode=hashed)


def _needs(name: str) -> Iterator[str]:
    """The packages that one needs here, and those that they need."""
    for text in distribution(name).requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield needed.name
            yield from _needs(needed.name)


def _copy(name: str, site: Path) -> None:
    found = distribution(name)
    for file in found.files or ():
        if file.parts[0] != ".." and file.suffix != ".pyc":
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(str(found.locate_file(file))), target)


def _container_image(folder: Path) -> None:
    """The lab's own image of Debian 13."""
    cache = ImageCache(default_cache())
    with cache.making("debian/13"):
        image = images._obtain(cache, "debian/13", print)
    folder.mkdir()
    shutil.copy2(image.metadata, folder / "metadata.tar.xz")
    shutil.copy2(image.system, folder / "rootfs.squashfs")


def is_possible() -> bool:
    """Whether the packages of this Python are of use in the computer."""
    return f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON
