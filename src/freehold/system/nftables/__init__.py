"""The kernel's packet filter: what may be asked of it (`api`), the real one (`program`) and one in memory (`fake`)."""

from freehold.system.nftables.api import Command, Commands, Listing, Nftables, NftablesError, Trial

__all__ = ["Command", "Commands", "Listing", "Nftables", "NftablesError", "Trial"]
