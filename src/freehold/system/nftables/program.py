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
        old = await self._way_back(name)
        guard = await undo.Guard.start(self._prefix, document(old), seconds)
        trial = ProgramTrial(guard, self, old)
        loading = asyncio.ensure_future(self.load(commands))
        try:
            await asyncio.shield(loading)
        except NftablesError:  # nothing has changed
            await guard.release()
            raise
        except BaseException:
            await asyncio.gather(loading, return_exceptions=True)  # nft ends what it has begun
            await trial.undo()
            raise
        return trial

    async def _way_back(self, name: str) -> Commands:
        """What brings the table back as it is now.

        An nft may list what it does not read again (a rule made by hand); then the rules that were kept last.
        """
        listed = restoring(name, await self.table(name))
        if await self._can_load(listed):
            return listed
        kept = self._boot.read(name)
        if kept is not None and await self._can_load(kept):
            return kept
        raise NftablesError(
            "noting the rules that are loaded",
            f"nft does not read what it lists of the table {name}, so they could not be brought back.",
            f"See what somebody added to it by hand, and take that out:\n    nft -a list table inet {name}",
        )

    async def _can_load(self, commands: Commands) -> bool:
        done = await self._nft("--check", "--json", "--file", "-", given=document(commands))
        return done.code == 0

    async def at_boot(self, name: str) -> Commands | None:
        return self._boot.read(name)

    async def set_at_boot(self, name: str, commands: Commands | None) -> None:
        await asyncio.to_thread(self._boot.write, name, commands)

    async def _nft(self, *words: str, given: str | None = None) -> Finished:
        return await self._run(["nft", *words], given=given)

    async def _run(self, argv: Sequence[str], given: str | None = None) -> Finished:
        return await asyncio.to_thread(run, [*self._prefix, *argv], given=given, timeout=_PATIENCE)


class ProgramTrial:
    """A trial that a process of its own watches over (`undo`). If that was killed, this one does its work."""

    def __init__(self, guard: undo.Guard, program: NftProgram, old: Commands) -> None:
        self._guard = guard
        self._program = program
        self._old = old

    async def keep(self) -> None:
        answer = await self._guard.release()
        if answer == "kept":
            return
        await self._undone(answer)
        raise NftablesError(
            "keeping the new rules",
            "the time for them to prove good was over, so the rules from before are back."
            if answer
            else "the process that watched over them was killed, so the rules from before are back.",
            "Run the same command again. When this computer is slow, give them longer:\n"
            "    freehold apply --undo-after 60",
        )

    async def undo(self) -> None:
        await self._undone(await self._guard.undo())

    async def _undone(self, answer: str) -> None:
        """See to it that the old rules are there. Raises NftablesError when nft refuses them."""
        if answer.startswith("failed"):
            raise NftablesError(
                "bringing the rules from before back",
                f"nft refuses them: {answer.removeprefix('failed').strip()}. The new ones are loaded.",
            )
        if not answer:
            await self._program.load(self._old)


def _require(done: Finished, doing: str) -> str:
    """What nft said. Raises NftablesError with its own words when it refused."""
    if done.code == 0:
        return done.output
    said = done.errors.strip().splitlines() or [f"exit code {done.code}"]
    if any(word in done.errors for word in _NOT_ALLOWED):
        raise NftablesError(doing, "only root may.", "Run the same command with sudo.")
    raise NftablesError(doing, said[0])
