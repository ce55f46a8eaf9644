"""Starts the guard that undoes new rules, and talks to it. Called by `program.py`.

Not a child of asyncio: that one kills its children when it closes, and a guard must outlive whoever forgot it. Without
its owner its input ends, and it undoes.
"""

import asyncio
import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from freehold.system.nftables.api import NftablesError
from freehold.system.processes import search_path

_GUARD = Path(__file__).with_name("guard.py")
_PATIENCE = 10.0  # seconds for the guard to answer; restoring rules takes a hundredth of one
_LONGEST = 4096  # bytes of an answer


class Guard:
    """A process that has the old rules and waits for a word."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._last = ""

    @classmethod
    async def start(cls, prefix: Sequence[str], rules: str, seconds: float) -> "Guard":
        """Return when it watches. `rules` is what it gives to nft. Raises NftablesError when it does not start."""
        return await asyncio.to_thread(cls._started, prefix, rules, seconds)

    @classmethod
    def _started(cls, prefix: Sequence[str], rules: str, seconds: float) -> "Guard":
        argv = [*prefix, sys.executable, "-I", str(_GUARD), str(seconds)]
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0, cwd="/", env={"PATH": search_path()}, start_new_session=True,
        )  # fmt: skip
        guard = cls(process)
        if guard._told(rules) != "ready":
            guard._end()
            raise NftablesError("watching over the new rules", "the process for it did not start.")
        return guard

    async def release(self) -> str:
        """`kept` when the new rules stay; else what `undo` answers."""
        return await asyncio.to_thread(self._last_word, "keep")

    async def undo(self) -> str:
        """`undone` when the old rules are back, `failed` and why when not; nothing when the guard was killed."""
        return await asyncio.to_thread(self._last_word, "undo")

    def _last_word(self, line: str) -> str:
        if not self._last:
            self._last = self._told(line) or "killed"
            self._end()
        return "" if self._last == "killed" else self._last

    def _told(self, line: str) -> str:
        """Its answer; empty when it has ended without one, or does not answer."""
        writer, reader = self._process.stdin, self._process.stdout
        assert writer is not None
        assert reader is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended; its last word can still be read
            _write(writer.fileno(), f"{line}\n".encode())
        if not select.select([reader], [], [], _PATIENCE)[0]:
            return ""
        return os.read(reader.fileno(), _LONGEST).decode(errors="replace").strip()

    def __del__(self) -> None:
        """Whoever lets go of it without a word wants the old rules back: they are there when this ends."""
        if not self._last:
            self._end()

    def _end(self) -> None:
        """Let go of it: it undoes what it was not told to keep, and ends."""
        self._last = self._last or "let go"
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _write(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
