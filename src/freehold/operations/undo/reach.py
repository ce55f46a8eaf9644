"""How far a run of `undo` goes: what it may delete, and that it does no more than was shown. Pure; called by `course.py` and `cli.undo`."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from freehold.planning.address import HOST, Address
from freehold.planning.change import Action, Change
from freehold.planning.plan import Plan
from freehold.planning.resource import Impact
from freehold.planning.selection import Selection
from freehold.providers.incus.snapshots.steps import DATA

_HARDNESS = {Action.UPDATE: 0, Action.REPLACE: 1}


@dataclass(frozen=True, slots=True)
class Reach(Selection):
    """What the run that is taken back was to change. `spared` was there before it, so it is not deleted now."""

    spared: Collection[str] = frozenset()

    def includes_deletion(self, address: Address) -> bool:
        """Whatever came since goes, also what a domain needs to hold it."""
        return str(address) not in self.spared


def in_view(*parts: Iterable[Change]) -> tuple[Change, ...]:
    """All changes, by domain as plans show them; in a domain, what machines hold comes first."""

    def key(change: Change) -> tuple[bool, str, bool]:
        domain = change.address.domain
        return domain != HOST, domain, change.address.kind != DATA.name

    return tuple(sorted((change for part in parts for change in part), key=key))


def beyond(shown: Plan, now: Plan) -> list[Address]:
    """The addresses of which `now` does what `shown` did not tell."""
    agreed = {change.address: change for change in shown.changes}
    return [c.address for c in now.changes if not _is_covered(c, agreed.get(c.address))]


def without(plan: Plan, addresses: Collection[Address]) -> Plan:
    """The plan without these changes; nothing waits for them."""
    left = [change for change in plan.changes if change.address not in addresses]
    kept = {change.address for change in left}
    return replace(plan, changes=tuple(replace(c, waits_for=c.waits_for & kept) for c in left))


def _is_covered(change: Change, agreed: Change | None) -> bool:
    if agreed is None or change.destroys_data > agreed.destroys_data:
        return False
    if change.action is not agreed.action:
        milder = _HARDNESS.get(change.action), _HARDNESS.get(agreed.action)
        if None in milder or milder[0] != 0:
            return False
    if _rank(change) > _rank(agreed):
        return False
    return {*_paths(change)} <= {*_paths(agreed)}


def _rank(change: Change) -> int:
    return (change.impact or Impact.LIVE).rank


def _paths(change: Change) -> Iterator[str]:
    if change.action is not Action.CREATE:
        yield from (field.path for field in change.fields)
