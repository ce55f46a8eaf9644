"""The lock of an estate's folder, and those who only ask who holds it."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freehold.diagnostics import LockHeld
from freehold.engine.lock import STATE_FOLDER, at_work, lock

PATIENCE = 60.0


@contextmanager
def asking(folder: Path) -> Iterator[None]:
    """Somebody asks who works there, again and again, for the length of the block."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            at_work(folder)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE)


def test_who_only_looks_keeps_nobody_from_working(tmp_path: Path) -> None:
    (tmp_path / STATE_FOLDER).mkdir()
    with asking(tmp_path), asking(tmp_path):
        for _ in range(1000):
            with lock(tmp_path, "apply"):
                pass


@pytest.mark.parametrize("left", ["", '{"pid": 1, "host": "x", "verb": "apply", "since": 1}'])
def test_a_look_at_the_lock_is_waited_for(tmp_path: Path, left: str) -> None:
    """Also where a run that died has left its name in it."""
    path = tmp_path / STATE_FOLDER / "lock"
    path.parent.mkdir()
    path.write_text(left)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        threading.Timer(0.1, fcntl.flock, [file, fcntl.LOCK_UN]).start()
        with lock(tmp_path, "apply"):
            owner = at_work(tmp_path)
    assert owner is not None
    assert owner.pid == os.getpid()


def test_who_works_is_named_soon(tmp_path: Path) -> None:
    before = time.monotonic()
    with lock(tmp_path, "apply"), pytest.raises(LockHeld) as caught, lock(tmp_path, "destroy"):
        pass
    assert time.monotonic() - before < PATIENCE / 6
    detail = caught.value.diagnostics[0].detail
    assert f"`freehold apply` (process {os.getpid()} on " in detail
    assert at_work(tmp_path) is None
