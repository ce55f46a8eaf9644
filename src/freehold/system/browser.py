"""Opens a page in the browser of whoever sits at this computer. Called by `cli.ui`."""

import contextlib
import html
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from freehold.system.files import write_atomically

_FOLDER, _FILE = ".freehold", "ui.html"


@contextlib.contextmanager
def opened_through(folder: Path, address: str) -> Iterator[bool]:
    """Lead a browser to an address by a file that only its owner reads, there as long as the block lasts.

    Yields whether a browser could be started. Raises OSError when the file cannot be written.
    """
    path = (folder / _FOLDER / _FILE).absolute()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    leads = f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={html.escape(address)}">\n'
    write_atomically(path, leads, 0o600)
    try:
        yield webbrowser.open(path.as_uri())
    finally:
        path.unlink(missing_ok=True)
