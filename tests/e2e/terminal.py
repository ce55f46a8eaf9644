"""A person at a terminal: sees what a command writes, types answers, presses Ctrl-C."""

import contextlib
import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 120.0  # seconds


class Terminal:
    """A command whose standard input, output and error are one terminal."""

    def __init__(self, argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._end, other = pty.openpty()
        self._process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**environment, "TERM": "dumb"},
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
        )
        os.close(other)
        self.seen = ""

    def expect(self, text: str) -> None:
        """Return once `text` was written."""
        until = time.monotonic() + _PATIENCE
        while text not in self.seen:
            assert time.monotonic() < until, self.seen
            if not self._read():
                break
        assert text in self.seen, self.seen

    def type(self, line: str) -> None:
        os.write(self._end, line.encode() + b"\n")

    def interrupt(self) -> None:
        """Ctrl-C: the terminal itself sends SIGINT to what runs in its foreground."""
        os.write(self._end, b"\x03")

    def wait(self) -> int:
        """The exit code."""
        until = time.monotonic() + _PATIENCE
        while self._read():
            assert time.monotonic() < until, self.seen
        code = self._process.wait(_PATIENCE)
        os.close(self._end)
        return code

    def _read(self) -> bool:
        """Take in what was written; False when the command has closed the terminal."""
        if not select.select([self._end], [], [], 1.0)[0]:
            return True
        with contextlib.suppress(OSError):  # EIO: nobody has the other end any more
            if data := os.read(self._end, 65536):
                self.seen += data.decode(errors="replace").replace("\r\n", "\n")
                return True
        return False
