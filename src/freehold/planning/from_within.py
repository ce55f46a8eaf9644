"""What may not be done from inside a machine of the estate itself. Pure; called by `compare` and `refusals`.

The host's firewall may be out of sight there: then no machine is touched that it guards. And who stops the machine that it
runs in is not there any more to start it again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from freehold.diagnostics import Diagnostic, Severity
from freehold.planning.change import Action, Change
from freehold.planning.question import Question
from freehold.planning.resource import Impact


def not_seen(question: Question) -> Iterator[Diagnostic]:
    """That something is not known, once for each reason."""
    for why in dict.fromkeys(question.unseen.values()):
        kinds = sorted(kind for kind, reason in question.unseen.items() if reason == why)
        detail = f"Not measured: {', '.join(kinds)}. {why.detail}"
        yield replace(why, severity=Severity.WARNING, detail=detail)


def from_within(question: Question, changes: Iterable[Change]) -> Iterator[Diagnostic]:
    """Why these changes may not be made from here."""
    every = list(changes)
    yield from _unguarded(question, every)
    yield from _own(question, every)


def _unguarded(question: Question, changes: Iterable[Change]) -> Iterator[Diagnostic]:
    kinds = {unseen.partition(":")[0] for unseen in question.unseen}
    guarded = {kind for unseen in kinds for kind in question.kinds[unseen].guards}
    touched = sorted(
        str(change.address)
        for change in changes
        if change.address.kind in guarded and change.action is not Action.DELETE
    )
    if touched:
        yield Diagnostic(
            code="unguarded",
            summary="No machine is made or changed while the firewall that guards it is not seen",
            detail=f"The plan has {', '.join(touched[:8])}{', …' if len(touched) > 8 else ''}.",
            hint=next(iter(question.unseen.values())).hint,
        )


def _own(question: Question, changes: Iterable[Change]) -> Iterator[Diagnostic]:
    for change in changes:
        if change.address == question.here and _stops(change):
            yield Diagnostic(
                code="own-machine",
                summary="The machine that this runs in would be stopped",
                detail=f"{change.address}: {change.reason}. Nobody would be there to start it again.",
                hint="Leave it out by naming others with `--limit`, or do it on the computer itself, in the estate's folder:\n"
                "    freehold apply",
            )


def _stops(change: Change) -> bool:
    return change.action in (Action.DELETE, Action.REPLACE) or change.impact is Impact.RESTART
