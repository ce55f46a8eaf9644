"""What the rest of Freehold may ask of nftables: the protocol of the real one and of the fake.

Commands and listings are the JSON of libnftables, described in libnftables-json(5): values stay values, so no text of
infra.yml can become a rule. Called by `providers.firewall`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from freehold.diagnostics import BackendError, Diagnostic

Command = Mapping[str, Any]
Commands = Sequence[Command]
"""One transaction: all of it is done, or nothing."""

Listing = Sequence[Mapping[str, Any]]
"""A table as `nft --json list table` shows it, without the line about nft itself."""


class NftablesError(BackendError):
    """nft is missing, may not be used, or refused what it was given."""

    def __init__(self, doing: str, reason: str, hint: str | None = None) -> None:
        super().__init__(
            Diagnostic(
                code="nftables-refused",
                summary="The firewall cannot be read or changed",
                detail=f"{doing}: {reason}",
                hint=hint or "See what is wrong:\n    freehold doctor",
            )
        )


class Trial(Protocol):
    """Rules that are loaded and not yet kept: without `keep` those from before come back."""

    async def keep(self) -> None:
        """They stay. Raises NftablesError when the old ones are back already."""

    async def undo(self) -> None:
        """Those from before come back now. Raises NftablesError when that fails."""


class Nftables(Protocol):
    """The packet filter of one network: this computer's or the lab's."""

    async def table(self, name: str) -> Listing | None:
        """The table of the family inet with that name; None when there is none. Raises NftablesError."""

    async def written(self, name: str, commands: Commands) -> Listing:
        """The table as this nft would list it after `commands`, tried out where nothing passes. Raises NftablesError."""

    async def load(self, commands: Commands) -> None:
        """Carry out one transaction. Raises NftablesError; then nothing has changed."""

    async def try_out(self, name: str, commands: Commands, seconds: float) -> Trial:
        """Carry it out for the time being.

        Unless kept within `seconds`, or when this process ends before, the table is again as it was. Raises NftablesError.
        """

    async def at_boot(self, name: str) -> Commands | None:
        """What is loaded for this table when the computer starts; None for nothing."""

    async def set_at_boot(self, name: str, commands: Commands | None) -> None:
        """Have these rules loaded before Incus starts, from now on; None: no longer. Raises NftablesError."""
