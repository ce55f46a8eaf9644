"""Opens a page in the browser of whoever sits at this computer. Called by `cli.ui`."""

import contextlib
import html
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

from freehold.system.files import write_atomically

_FOLDER, _FILE = ".freehold", "ui.html"


@contextlib.contextmanager
def leading_to(address: str, folder: Path) -> Iterator[str]:
    """The address of a file that only its owner reads and that leads to `address`, there as long as the block lasts.

    Raises OSError when the file cannot be written.
    """
    path = (folder / _FOLDER / _FILE).absolute()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    leads = f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={html.escape(address)}">\n'
    write_atomically(path, leads, 0o600)
    try:
        yield path.as_uri()
    finally:
        path.unlink(missing_ok=True)


def start(address: str, missing: Callable[[], None]) -> None:
    """Start a browser there; `missing` is called, in another thread, when there is none.

    Nobody waits for it: one that runs in a terminal is at work until its reader has enough.
    """

    def opened() -> None:
        if not webbrowser.open(address):
            missing()

    threading.Thread(target=opened, daemon=True).start()
