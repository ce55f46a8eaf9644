"""The firewall of an estate on one host: a table of nftables that stands before the first machine starts.

Made by `cli` with the packet filter of the host or of the lab; driven by `engine` through `providers.protocol.Provider`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.firewall.desired import ADDRESS, AS_WRITTEN, KIND, desired_firewall
from freehold.providers.firewall.reading import (
    contents,
    difference,
    opened,
    structure,
    transfer,
    zones,
)
from freehold.providers.firewall.ruleset import commands, skeleton, table_name
from freehold.providers.protocol import Observation, Report, Step
from freehold.system.nftables import Listing, Nftables

PATIENCE = 15.0  # seconds in which new rules must prove good; else those from before come back


class WayIn(Protocol):
    """What must work with the new rules as it did with the old ones; asked from outside of the change."""

    async def before(self, fields: Fields, report: Report) -> None:
        """Note what works now. `fields` are the rules to come: their zones say which domains are admin."""

    async def after(self, report: Report) -> None:
        """Raise BackendError when something of that does not work any more."""

    async def undone(self, report: Report) -> None:
        """Clear up after a change that was undone: the rules are again those of before."""


class FirewallProvider:
    """The packet filter of one host as Freehold sees it.

    What `ways_in` makes must survive a change of rules; it is undone unless that is known within `patience` seconds.
    """

    def __init__(
        self,
        nftables: Nftables,
        ways_in: Callable[[], Sequence[WayIn]] = tuple,
        patience: float = PATIENCE,
    ) -> None:
        self._nftables = nftables
        self._ways_in = ways_in
        self._patience = patience

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {KIND.name: KIND}

    async def observe(self, infra: Infra) -> Observation:
        listing = await self._nftables.table(table_name(infra.name))
        if listing is None:
            return Observation()
        fields = await self._fields(table_name(infra.name), listing)
        return Observation({ADDRESS: Observed(address=ADDRESS, fields=fields)})

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        if not infra.domains:
            return {}
        return {ADDRESS: desired_firewall(infra, observation.observed)}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        name = table_name(estate)
        if change.action is Action.DELETE:
            return [Step(f"delete the table {name}", lambda report: self._delete(name))]
        assert change.desired is not None
        loading = _Loading(self._nftables, self._ways_in(), self._patience, name, change.desired)
        return loading.steps()

    async def wait_ready(self, timeout: float) -> None:
        """The kernel is always there."""

    async def _fields(self, name: str, listing: Listing) -> Fields:
        fields = {
            "table": name,
            "zones": zones(listing),
            "open": opened(listing),
            **transfer(listing),
        }
        boot = await self._nftables.at_boot(name)
        wanted = commands(name, fields)
        return {
            **fields,
            "rules": await self._rules(name, listing, wanted),
            "at start": _at_start(boot, wanted),
        }

    async def _rules(
        self, name: str, listing: Listing, wanted: Sequence[Mapping[str, object]]
    ) -> str:
        """Whether rules and sets are ours to the letter. Another nft may write the same in other words: it is asked."""
        held = difference(contents(wanted), contents(listing))
        if held:
            return held
        found = structure(listing)
        written = skeleton(name, transfer(listing))
        if not difference(structure(written), found):
            return AS_WRITTEN
        canonical = structure(await self._nftables.written(name, written))
        return difference(canonical, found) or AS_WRITTEN

    async def _delete(self, name: str) -> None:
        await self._nftables.set_at_boot(name, None)
        table = {"table": {"family": "inet", "name": name}}
        await self._nftables.load([{"add": table}, {"delete": table}])


def _at_start(boot: object, wanted: Sequence[Mapping[str, object]]) -> str:
    if boot is None:
        return "nothing is loaded"
    same = contents(boot) == contents(wanted) and structure(boot) == structure(wanted)  # type: ignore[arg-type]
    return AS_WRITTEN if same else "other rules are loaded"


class _Loading:
    """The steps of one change: note the ways in; then load the rules, prove the ways in, and keep the rules.

    The second is one step: nobody who asks for a stop ends a run between loading and proving.
    """

    def __init__(
        self,
        nftables: Nftables,
        ways_in: Sequence[WayIn],
        patience: float,
        name: str,
        fields: Fields,
    ) -> None:
        self._nftables = nftables
        self._ways_in = ways_in
        self._patience = patience
        self._name = name
        self._fields = fields
        self._commands = commands(name, fields)

    def steps(self) -> list[Step]:
        load = (
            f"load the rules (undone after {self._patience:.0f} s unless every way in still works)"
        )
        return [Step("see which ways in work", self._before), Step(load, self._load)]

    async def _before(self, report: Report) -> None:
        for way in self._ways_in:
            await way.before(self._fields, report)

    async def _load(self, report: Report) -> None:
        """Rules that are not proven are never loaded at a start: those are written last."""
        trial = await self._nftables.try_out(self._name, self._commands, self._patience)
        try:
            for way in self._ways_in:
                await way.after(report)
            await trial.keep()
        except BaseException as error:
            await trial.undo()
            if isinstance(error, Exception):  # else somebody wants an end at once
                for way in self._ways_in:
                    await way.undone(report)
            raise
        await self._nftables.set_at_boot(self._name, self._commands)
