"""Desired against observed: makes the Plan. Pure; called by `engine.planner` for plan, apply, verify and status alike."""

from collections.abc import Iterable, Iterator, Mapping

from freehold.diagnostics import Diagnostic
from freehold.planning.address import Address
from freehold.planning.change import Action, Change, FieldChange, differences
from freehold.planning.from_within import not_seen
from freehold.planning.order import in_order, with_waits
from freehold.planning.plan import Orphan, Plan
from freehold.planning.question import Question
from freehold.planning.refusals import refusals
from freehold.planning.resource import Desired, Impact, Kind, Observed
from freehold.planning.unreached import hosts_left_out, not_reached, within_reach

_NAMED = 6  # fields named in a reason; the plan shows all of them below it


def compare(question: Question) -> Plan:
    """The plan that makes the selected part of the estate as declared."""
    asked, question = question, within_reach(question)
    changes = [] if question.only_orphans else list(_wanted_changes(question))
    orphans = list(_orphans(question))
    if question.prune or question.destroy:
        kept = _kept(question, orphans)
        changes += [_deletion(question, o.address) for o in orphans if o.address not in kept]
    deleted = {change.address for change in changes if change.action is Action.DELETE}
    left = tuple(orphan for orphan in orphans if orphan.address not in deleted)
    ordered = in_order(with_waits(changes, question.desired, question.observed), question.kinds)
    return Plan(
        estate=question.estate,
        changes=ordered,
        orphans=() if question.destroy else left,
        unchanged=_count_unchanged(question, ordered),
        diagnostics=(
            *not_seen(question),
            *not_reached(asked),
            *_on_creation(question, ordered),
            *refusals(question, ordered, left),
        ),
        unseen=tuple(sorted(question.unseen)),
        unreached=hosts_left_out(asked),
    )


def moved(before: Mapping[Address, Observed], now: Mapping[Address, Observed]) -> list[Address]:
    """What is no longer as it was seen; empty when a plan made from `before` still holds."""
    return sorted(
        address
        for address in {*before, *now}
        if address not in before
        or address not in now
        or before[address].fields != now[address].fields
    )


def _wanted_changes(question: Question) -> Iterator[Change]:
    for address, desired in question.desired.items():
        if not question.selection.includes(address):
            continue
        seen = question.observed.get(address)
        if seen is None:
            yield _creation(desired)
        elif seen.owned:
            yield from _correction(question.kinds[address.kind], desired, seen)


def _on_creation(question: Question, changes: Iterable[Change]) -> Iterator[Diagnostic]:
    for change in changes:
        if change.action is Action.CREATE:
            yield from question.desired[change.address].on_creation


def _creation(desired: Desired) -> Change:
    fields = tuple(
        FieldChange(path, None, after) for path, _, after in differences({}, desired.fields)
    )
    return Change(
        address=desired.address,
        action=Action.CREATE,
        reason="does not exist yet",
        fields=fields,
        desired=desired.fields,
    )


def _correction(kind: Kind, desired: Desired, seen: Observed) -> Iterator[Change]:
    fields = tuple(
        FieldChange(path, before, after, kind.impact_of(path, desired.fields))
        for path, before, after in differences(seen.fields, desired.fields)
    )
    if not fields:
        return
    hardest = max(
        (field.impact for field in fields if field.impact), key=lambda impact: impact.rank
    )
    replaces = hardest is Impact.RECREATE
    yield Change(
        address=desired.address,
        action=Action.REPLACE if replaces else Action.UPDATE,
        reason=_reason(hardest, fields),
        impact=hardest,
        destroys_data=replaces and kind.holds_data and seen.has_data,
        fields=fields,
        desired=desired.fields,
        observed=seen.fields,
    )


def _reason(impact: Impact, fields: Iterable[FieldChange]) -> str:
    named = [field.path for field in fields if field.impact is impact]
    rest = f" and {len(named) - _NAMED} more fields" if len(named) > _NAMED + 1 else ""
    paths = ", ".join(named[:_NAMED] if rest else named) + rest
    verb = "differ" if len(named) > 1 else "differs"
    if impact is Impact.LIVE:
        return f"{paths} {verb} from infra.yml"
    need = {Impact.RESTART: "a restart", Impact.RECREATE: "creating it anew"}[impact]
    return f"{paths} {verb} from infra.yml, which needs {need}"


def _orphans(question: Question) -> Iterator[Orphan]:
    for address, seen in sorted(question.observed.items()):
        if (
            seen.owned
            and address not in question.desired
            and question.selection.includes_deletion(address)
        ):
            holds_data = question.kinds[address.kind].holds_data and seen.has_data
            yield Orphan(
                address=address,
                holds_data=holds_data,
                protected=seen.protected,
                stays=seen.stays,
            )


def _kept(question: Question, orphans: Iterable[Orphan]) -> set[Address]:
    """Protected orphans, and what they cannot live without."""
    kept: set[Address] = set()
    for orphan in orphans:
        if orphan.protected:
            kept |= {orphan.address, *question.observed[orphan.address].depends_on}
    return kept


def _deletion(question: Question, address: Address) -> Change:
    seen = question.observed[address]
    reason = "the estate is to go" if question.destroy else "infra.yml no longer names it"
    if seen.stays:
        reason += f"; its data stays: {', '.join(seen.stays)}"
    return Change(
        address=address,
        action=Action.DELETE,
        reason=reason,
        destroys_data=question.kinds[address.kind].holds_data and seen.has_data,
        fields=tuple(
            FieldChange(path, before, None) for path, before, _ in differences(seen.fields, {})
        ),
        observed=seen.fields,
    )


def _count_unchanged(question: Question, changes: Iterable[Change]) -> int:
    changed = {change.address for change in changes}
    return sum(
        address not in changed and address in question.observed
        for address in question.desired
        if question.selection.includes(address)
    )
