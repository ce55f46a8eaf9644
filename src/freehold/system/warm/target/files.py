"""Files that come and go over the program's way, piece by piece. Used by `program.py`."""

from __future__ import annotations

import os
from typing import NoReturn

_PIECE = 1 << 18  # bytes
_MODE = 0o600  # Ansible sets the mode that was asked for where it puts the file


class Upload:
    """A file that is being written. The first failure is kept; what comes after it is thrown away."""

    def __init__(self, path: str) -> None:
        self.failure: OSError | None = None
        self._descriptor = -1
        try:
            self._descriptor = os.open(
                os.fsencode(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE
            )
        except OSError as error:
            self.failure = error

    def write(self, content: bytes) -> None:
        """Append this."""
        rest = memoryview(content)
        try:
            while rest and self.failure is None:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self.failure = error

    def close(self) -> None:
        """No more is to come."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def send(path: str) -> NoReturn:
    """In a process of its own: the file to standard output; its failure to standard error, its number as the code."""
    try:
        source = os.open(os.fsencode(path), os.O_RDONLY)
        while content := memoryview(os.read(source, _PIECE)):
            while content:
                content = content[os.write(1, content) :]
    except OSError as error:
        os.write(2, (error.strerror or "").encode())
        os._exit(error.errno or 1)
    os._exit(0)
