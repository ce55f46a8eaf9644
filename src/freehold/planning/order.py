"""In what order changes are shown, and which must wait for which. Pure; called by `compare`, obeyed by `engine.execute`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from freehold.planning.address import HOST, Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Impact, Kind, Observed


def in_order(changes: Iterable[Change], kinds: Mapping[str, Kind]) -> tuple[Change, ...]:
    """Stable: the host first, then by domain, then what is made (what others need first), then what is deleted (the reverse)."""

    def key(change: Change) -> tuple[bool, str, bool, int, str]:
        deletes = change.action is Action.DELETE
        rank = kinds[change.address.kind].rank
        return (
            change.address.domain != HOST,
            change.address.domain,
            deletes,
            -rank if deletes else rank,
            change.address.name,
        )

    return tuple(sorted(changes, key=key))


def with_waits(
    changes: Sequence[Change],
    desired: Mapping[Address, Desired],
    observed: Mapping[Address, Observed],
) -> list[Change]:
    """The same changes, each knowing the changes that must be done before it.

    What is made waits for what it needs and for whoever gives up what it claims; what is deleted waits for
    everything that still uses it. What is restarted or made anew waits until nothing is deleted in it any more.
    """
    by_address = {change.address: change for change in changes}
    holders = _holders(observed)
    users = _users(observed)
    claims = {
        change.address: frozenset(_held_by(desired[change.address], holders, by_address))
        for change in changes
        if change.action is not Action.DELETE
    }
    awaited = frozenset().union(*claims.values())
    result = []
    for change in changes:
        if change.action is Action.DELETE:
            waits = frozenset(users[change.address] & by_address.keys())
        else:
            waits = frozenset(_made(desired[change.address].depends_on, by_address))
            waits |= frozenset(_deleted_inside(change, users, by_address))
        result.append(
            replace(
                change,
                waits_for=waits,
                claims_from=claims.get(change.address, frozenset()),
                lets_go=change.address in awaited,
            )
        )
    return result


def _deleted_inside(
    change: Change, users: Mapping[Address, set[Address]], changes: Mapping[Address, Change]
) -> Iterator[Address]:
    """What goes from something that does not stand still meanwhile; only what nothing else waits for, so that none waits for itself."""
    if change.impact not in (Impact.RESTART, Impact.RECREATE):
        return
    for user in users.get(change.address, ()):
        goes = user in changes and changes[user].action is Action.DELETE
        if goes and not users.get(user, set()) & changes.keys():
            yield user


def _made(addresses: Iterable[Address], changes: Mapping[Address, Change]) -> Iterator[Address]:
    for address in addresses:
        if address in changes and changes[address].action is not Action.DELETE:
            yield address


def _held_by(
    wanted: Desired, holders: Mapping[str, Address], changes: Mapping[Address, Change]
) -> Iterator[Address]:
    for claim in wanted.claims:
        holder = holders.get(claim)
        if holder is not None and holder != wanted.address and holder in changes:
            yield holder


def _holders(observed: Mapping[Address, Observed]) -> dict[str, Address]:
    return {claim: address for address, seen in observed.items() for claim in seen.claims}


def _users(observed: Mapping[Address, Observed]) -> Mapping[Address, set[Address]]:
    users: defaultdict[Address, set[Address]] = defaultdict(set)
    for address, seen in observed.items():
        for needed in seen.depends_on:
            users[needed].add(address)
    return users
