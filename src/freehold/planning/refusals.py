"""Why a plan may not be applied as it is: not ours, protected, taken by somebody else. Pure; called by `compare`."""

from collections.abc import Iterable, Iterator, Mapping

from freehold.diagnostics import Diagnostic, Severity
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.from_within import from_within
from freehold.planning.plan import Orphan
from freehold.planning.question import Question
from freehold.planning.resource import Desired, Observed


def refusals(
    question: Question, changes: Iterable[Change], orphans: Iterable[Orphan]
) -> Iterator[Diagnostic]:
    """Everything that stands in the way, all at once."""
    observed = question.observed
    changed = {change.address: change for change in changes}
    yield from _not_ours(question, changed)
    yield from _claimed(question.desired, observed, changed)
    yield from _left_out(question, changed)
    yield from from_within(question, changed.values())
    for change in changed.values():
        yield from _protected(change, observed)
        yield from _holds_foreign(change, observed)
    for orphan in orphans:
        if orphan.protected and question.destroy:
            yield _is_protected(orphan.address, "it would be destroyed", observed)
        elif orphan.protected and question.prune:
            yield _kept(orphan, observed)


def _not_ours(question: Question, changed: Iterable[Address]) -> Iterator[Diagnostic]:
    """Of what is selected, and of what that stands on."""
    needed = _needed(question, changed)
    for address in question.desired:
        seen = question.observed.get(address)
        if seen is None or seen.owned:
            continue
        if address not in needed and not question.selection.includes(address):
            continue
        yield _stranger(address, seen)


def _stranger(address: Address, seen: Observed) -> Diagnostic:
    owner = (
        f"belongs to the estate `{seen.owner}`" if seen.owner else "carries no mark of an estate"
    )
    about, way = f"exists and {owner}", f"give it to this estate:\n    {seen.adopt}"
    if seen.in_place:
        about, way = f"would take the place of {', '.join(seen.in_place)}", str(seen.adopt)
    return Diagnostic(
        code="not-ours",
        summary="Something of this name exists and is not ours",
        detail=f"{address} {about}, so it is left alone.",
        hint=f"Choose another name, or {way}",
    )


def _claimed(
    desired: Mapping[Address, Desired],
    observed: Mapping[Address, Observed],
    changed: Mapping[Address, Change],
) -> Iterator[Diagnostic]:
    holders = {claim: address for address, seen in observed.items() for claim in seen.claims}
    for address, wanted in desired.items():
        for claim in sorted(wanted.claims):
            holder = holders.get(claim)
            if holder is None or holder == address or holder in changed:
                continue
            if holder in desired and claim not in desired[holder].claims:
                continue  # left out by --limit or --only: its change will give the claim up
            yield Diagnostic(
                code="claimed",
                summary="Something else has this address or port already",
                detail=f"{address} is to have {claim}, which {holder} holds; infra.yml does not name {holder}.",
                hint="Delete the orphan in the same run:\n    freehold apply --prune\n"
                "or give one of the two another one.",
            )


def _left_out(question: Question, changed: Mapping[Address, Change]) -> Iterator[Diagnostic]:
    """`--only` can leave out what the rest stands on; Incus would refuse it one by one."""
    needed = {
        need
        for address in changed
        for need in _needed(question, [address])
        if need not in changed and _is_missing(question, need, address.kind)
    }
    if needed:
        yield Diagnostic(
            code="left-out",
            summary="The selection leaves out what it needs",
            detail=f"{', '.join(sorted(map(str, needed)))} must be made first.",
            hint="Name these kinds with `--only` too, or leave it out.",
        )


def _needed(question: Question, changed: Iterable[Address]) -> set[Address]:
    """What the changes stand on."""
    return {
        need
        for address in changed
        if address in question.desired
        for need in question.desired[address].depends_on
    }


def _is_missing(question: Question, need: Address, kind: str) -> bool:
    """Whether it is not there; of what guards or shields resources of this `kind`, whether it is not as it should be."""
    seen = question.observed.get(need)
    if seen is None:
        return True
    wanted, of = question.desired.get(need), question.kinds[need.kind]
    shields = kind in of.shields and not need.name  # a host has one of them, so it has no name
    return bool(of.guards or shields) and wanted is not None and wanted.fields != seen.fields


def _protected(change: Change, observed: Mapping[Address, Observed]) -> Iterator[Diagnostic]:
    seen = observed.get(change.address)
    if seen is not None and seen.protected and change.action in (Action.DELETE, Action.REPLACE):
        yield _is_protected(change.address, change.reason, observed)


def _is_protected(
    address: Address, reason: str, observed: Mapping[Address, Observed]
) -> Diagnostic:
    return Diagnostic(
        code="protected",
        summary="This would delete something protected",
        detail=f"{address} is protected: {reason}.",
        hint=f"Lift the protection first:\n    {observed[address].unprotect}",
    )


def _holds_foreign(change: Change, observed: Mapping[Address, Observed]) -> Iterator[Diagnostic]:
    seen = observed.get(change.address)
    if seen is None or change.action is not Action.DELETE or not seen.foreign:
        return
    yield Diagnostic(
        code="holds-foreign",
        summary="Something that is not ours lives in what would be deleted",
        detail=f"{change.address} holds {', '.join(seen.foreign)}, which Freehold did not create.",
        hint="Move or delete it yourself, then run this again.",
    )


def _kept(orphan: Orphan, observed: Mapping[Address, Observed]) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="protected-orphan",
        summary="A protected orphan is kept",
        detail=f"{orphan.address} is protected, so --prune leaves it.",
        hint=f"To delete it all the same, lift the protection first:\n    {observed[orphan.address].unprotect}",
    )
