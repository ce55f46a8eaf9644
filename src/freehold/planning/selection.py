"""What `--limit` and `--only` leave in a plan. Pure; made from the command line by `cli`."""

from collections.abc import Collection
from dataclasses import dataclass

from freehold.planning.address import HOST, Address


@dataclass(frozen=True, slots=True)
class Selection:
    """Part of an estate: empty collections mean all of it.

    `limits` are `domain` or `domain/machine`; `kinds` are kinds of resources.
    A machine's limit takes in its volumes, and what its domain needs (project, bridge, profiles) to hold it. What belongs
    to the whole host (the firewall) is never limited: half of it would be none.
    """

    limits: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def includes(self, address: Address) -> bool:
        """Whether changes of this resource are wanted."""
        if self.kinds and address.kind not in self.kinds:
            return False
        if address.domain == HOST:
            return True
        return not self.limits or any(_covers(limit, address) for limit in self.limits)

    def includes_deletion(self, address: Address) -> bool:
        """Whether this resource may be deleted: a machine's limit never takes what its neighbours stand on."""
        if not self.includes(address):
            return False
        if not self.limits or address.kind in _OF_MACHINES:
            return True
        return address.domain in self.limits


_OF_MACHINES: Collection[str] = frozenset({"instance", "provision", "volume", "service", "compose"})


def _covers(limit: str, address: Address) -> bool:
    domain, _, machine = limit.partition("/")
    if address.domain != domain:
        return False
    if not machine or address.kind not in _OF_MACHINES:
        return True
    return address.name.split("/")[0] == machine
