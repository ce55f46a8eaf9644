"""The real nftables, through the program nft: one process for a question, one for a transaction.

Made by `cli` for this computer's network or for the lab's (then `prefix` is the command that enters it).
"""

import asyncio
from collections.abc import Sequence

from freehold.system.nftables import undo
from freehold.system.nftables.api import Commands, Listing, NftablesError
from freehold.system.nftables.boot import BootRules
from freehold.system.nftables.listing import document, parsed, restoring
from freehold.system.processes import Finished, run

_PATIENCE = 30.0  # seconds for one nft; a thousand domains take a hundredth of it
_NO_SUCH = "No such file or directory"
_NOT_ALLOWED = ("Operation not permitted", "Permission denied")
_TRY = "nft --json --file - && exec nft --json list table inet "


class NftProgram:
    """nft, run behind `prefix`. `boot` says what is loaded when the computer (or the lab) starts."""

    def __init__(self, boot: BootRules, prefix: Sequence[str] = ()) -> None:
        self._boot = boot
        self._prefix = tuple(prefix)

    async def table(self, name: str) -> Listing | None:
        done = await self._nft("--json", "list", "table", "inet", name)
        if done.code != 0 and _NO_SUCH in done.errors:
            return None
        return parsed(_require(done, f"reading the table {name}"))

    async def written(self, name: str, commands: Commands) -> Listing:
        argv = ["unshare", "--net", "sh", "-c", _TRY + name]
        done = await self._run(argv, given=document(commands))
        return parsed(_require(done, "trying the rules out"))

    async def load(self, commands: Commands) -> None:
        done = await self._nft("--json", "--file", "-", given=document(commands))
        _require(done, "loading the rules")

    async def try_out(self, name: str, commands: Commands, seconds: float) -> "ProgramTrial":
        before = await self.table(name)
        guard = await undo.Guard.start(self._prefix, document(restoring(name, before)), seconds)
        try:
            await self.load(commands)
        except BaseException:
            await guard.release()
            raise
        return ProgramTrial(guard)

    async def at_boot(self, name: str) -> Commands | None:
        return self._boot.read(name)

    async def set_at_boot(self, name: str, commands: Commands | None) -> None:
        await asyncio.to_thread(self._boot.write, name, commands)

    async def _nft(self, *words: str, given: str | None = None) -> Finished:
        return await self._run(["nft", *words], given=given)

    async def _run(self, argv: Sequence[str], given: str | None = None) -> Finished:
        return await asyncio.to_thread(run, [*self._prefix, *argv], given=given, timeout=_PATIENCE)


class ProgramTrial:
    """A trial that a process of its own watches over (`undo`)."""

    def __init__(self, guard: undo.Guard) -> None:
        self._guard = guard

    async def keep(self) -> None:
        if not await self._guard.release():
            raise NftablesError(
                "keeping the new rules",
                "the time for it was over, and the rules from before are back.",
                "Run the same command again.",
            )

    async def undo(self) -> None:
        await self._guard.undo()


def _require(done: Finished, doing: str) -> str:
    """What nft said. Raises NftablesError with its own words when it refused."""
    if done.code == 0:
        return done.output
    said = done.errors.strip().splitlines() or [f"exit code {done.code}"]
    if any(word in done.errors for word in _NOT_ALLOWED):
        raise NftablesError(doing, "only root may.", "Run the same command with sudo.")
    raise NftablesError(doing, said[0])
