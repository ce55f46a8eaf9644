"""A place to run a paper's commands in: an empty folder, and a lab of its own that is deleted afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.transcript import Place


@contextmanager
def new_place() -> Iterator[Place]:
    """A place; the path is short because a socket's may have 107 bytes, and open to the lab's machines."""
    root = Path(tempfile.mkdtemp(prefix="fhdoc", dir="/tmp"))
    root.chmod(0o711)
    folders = [root / name for name in ("estate", "bin")]
    for folder in folders:
        folder.mkdir()
    place = Place(folder=folders[0], lab=root / "lab", programs=folders[1])
    try:
        yield place
    finally:
        place.folder = root
        place.run("freehold lab reset --confirm lab")
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def place() -> Iterator[Place]:
    with new_place() as place:
        yield place
