"""Several systems as one: what the planner and the executor see of all providers. Made by `cli`.

A kind that guards others (a firewall guards machines) stands before them and goes after them, whichever provider has
which; one that carries its domain (a computer that the lab plays) does so with all else there.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.protocol import Observation, Provider, Step
from freehold.system.host_agent.messages import HostUnseen

Side = TypeVar("Side", Desired, Observed)


class Systems:
    """The providers of an estate, in the order in which their resources are shown."""

    def __init__(self, *providers: Provider) -> None:
        self._providers = providers
        self._of_kind = {kind: provider for provider in providers for kind in provider.kinds}
        self._absent: Collection[Provider] = ()

    def absent(self, infra: Infra) -> Collection[Provider]:
        """Those whose system is not there, nor needed: nothing is looked at, and nothing wanted of it."""
        return ()

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {name: kind for each in self._providers for name, kind in each.kinds.items()}

    async def observe(self, infra: Infra) -> Observation:
        self._absent = self.absent(infra)
        there = [each for each in self._providers if each not in self._absent]
        looks = await asyncio.gather(*(_look(each, infra) for each in there))
        observed = {address: seen for look in looks for address, seen in look.observed.items()}
        return Observation(
            self._guarded(observed),
            tuple(problem for look in looks for problem in look.diagnostics),
            unseen={kind: why for look in looks for kind, why in look.unseen.items()},
            unreached={host: why for look in looks for host, why in look.unreached.items()},
            here=next((look.here for look in looks if look.here), None),
            cards=tuple(card for look in looks for card in look.cards),
            measures=tuple(measure for look in looks for measure in look.measures),
        )

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        wanted: dict[Address, Desired] = {}
        for each in self._providers:
            if each not in self._absent and not each.kinds.keys() & observation.unseen.keys():
                wanted.update(each.desired(infra, observation))
        return self._guarded(wanted)

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        return self._of_kind[change.address.kind].steps(estate, change)

    async def wait_ready(self, timeout: float) -> None:
        await asyncio.gather(*(each.wait_ready(timeout) for each in self._providers))

    def _guarded(self, side: Mapping[Address, Side]) -> dict[Address, Side]:
        """The same, with what is guarded depending on its guards."""
        guards = {
            kind: frozenset(_of(side, guard.name))
            for guard in self.kinds.values()
            for kind in guard.guards
        }
        carriers = {
            address.domain: address
            for kind in self.kinds.values()
            if kind.carries
            for address in _of(side, kind.name)
        }

        def before(address: Address) -> frozenset[Address]:
            carrier = carriers.get(address.domain, address)
            return guards.get(address.kind, frozenset()) | ({carrier} - {address})

        return {
            address: replace(each, depends_on=each.depends_on | before(address))
            if before(address)
            else each
            for address, each in side.items()
        }


async def _look(provider: Provider, infra: Infra) -> Observation:
    """One provider's. What cannot be seen from here is said, so that the rest can be looked at."""
    try:
        return await provider.observe(infra)
    except HostUnseen as error:
        return Observation(unseen=dict.fromkeys(provider.kinds, error.diagnostics[0]))


def _of(addresses: Iterable[Address], kind: str) -> Collection[Address]:
    return [address for address in addresses if address.kind == kind]
