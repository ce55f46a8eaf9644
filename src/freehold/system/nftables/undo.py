"""Starts the guard that undoes new rules, and talks to it. Called by `program.py`."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from freehold.system.nftables.api import NftablesError
from freehold.system.processes import search_path

_GUARD = Path(__file__).with_name("guard.py")
_PATIENCE = 10.0  # seconds for the guard to answer; restoring rules takes a hundredth of one


class Guard:
    """A process that has the old rules and waits for a word."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, prefix: Sequence[str], rules: str, seconds: float) -> "Guard":
        """Return when it watches. `rules` is what it gives to nft. Raises NftablesError when it does not start."""
        process = await asyncio.create_subprocess_exec(
            *prefix, sys.executable, "-I", str(_GUARD), str(seconds),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": search_path()}, start_new_session=True,
        )  # fmt: skip
        guard = cls(process)
        if await guard._told(rules) != "ready":
            raise NftablesError("watching over the new rules", "the process for it did not start.")
        return guard

    async def release(self) -> bool:
        """Whether the new rules stay: False when the old ones are back already."""
        return await self._told("keep") == "kept"

    async def undo(self) -> None:
        """Bring the old rules back. Raises NftablesError when nft refuses them."""
        if await self._told("undo") == "failed":
            raise NftablesError("bringing the rules from before back", "nft refuses them.")

    async def _told(self, line: str) -> str:
        """Its answer; empty when it has ended without one."""
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None
        assert writer is not None
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                writer.write(f"{line}\n".encode())
                with contextlib.suppress(
                    ConnectionError
                ):  # it has ended; its last word can still be read
                    await writer.drain()
                return (await reader.readline()).decode().strip()
        return ""
