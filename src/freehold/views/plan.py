"""The plan for people: what would change, why, and what is lost. Called by `cli` for plan, apply, destroy and orphans.

Its last line is a contract: `Plan: 12 to create, 1 to change, 0 to delete, 31 unchanged, 2 orphans.`
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TextIO

from freehold.planning.change import Action, Change, FieldChange
from freehold.planning.plan import Orphan, Plan
from freehold.planning.resource import Impact
from freehold.views.essentials import essentials
from freehold.views.terminal import Paper, Style, columns, visible
from freehold.views.words import count, listed, pair, resource, value

_STYLES = {
    Action.CREATE: Style.GREEN,
    Action.UPDATE: Style.YELLOW,
    Action.REPLACE: Style.ALARM,
    Action.DELETE: Style.RED,
}
_BENEATH = "      "
_SHORTEST = 12


def render_plan(
    plan: Plan,
    stream: TextIO,
    *,
    verbose: bool = False,
    command: str = "freehold",
    verb: str = "apply",
    capacity: bool = False,
) -> None:
    """Write the plan. `verbose` shows every field of what is created; diagnostics are shown by the caller.

    `verb` is what carries it out. `capacity`: who takes what of the computer is shown even where all fits.
    """
    paper = Paper(stream)
    for domain, changes in groupby(plan.changes, key=lambda change: change.address.domain):
        paper.line(paper.paint(visible(domain), Style.BOLD))
        for change in changes:
            _write(paper, _change(paper, change, verbose))
        paper.line()
    if plan.orphans:
        _write(paper, _orphans(paper, plan.orphans, f"{command} {verb}"))
        paper.line()
    if plan.destructive:
        _write(paper, _losses(paper, plan.destructive))
        paper.line()
    if shown := [fit for fit in plan.capacity if capacity or fit.is_noteworthy]:
        from freehold.views.capacity import render_capacity  # most plans show none

        render_capacity(shown, stream)
    if plan.is_empty and plan.can_apply:
        whole = plan.unchanged and not plan.orphans and not plan.not_measured
        says = ": everything is as infra.yml says" if whole else ""
        paper.line(f"Nothing to do{says}.")
    paper.line(paper.paint(last_line(plan), Style.BOLD))


def last_line(plan: Plan) -> str:
    """The counts. What is replaced counts as changed, and is named when there is any."""
    summary = plan.summary()
    changed = summary["update"] + summary["replace"]
    replaced = f", {summary['replace']} to replace" if summary["replace"] else ""
    return (
        f"Plan: {summary['create']} to create, {changed} to change{replaced}, "
        f"{summary['delete']} to delete, {summary['unchanged']} unchanged, "
        f"{count(summary['orphans'], 'orphan')}."
    )


def _write(paper: Paper, lines: Iterable[str]) -> None:
    for line in lines:
        paper.line(line)


def _change(paper: Paper, change: Change, verbose: bool) -> Iterator[str]:
    yield from _headline(paper, change)
    if change.destroys_data:
        yield from _loss(paper, change)
    if change.action is Action.CREATE and not verbose:
        return
    if change.action is not Action.DELETE:
        for field in change.fields:
            yield from _field(paper, field, change)


def _headline(paper: Paper, change: Change) -> Iterator[str]:
    """`  ~ instance homelab/llm (restart): image differs …`, wrapped."""
    subject = f"  {change.action.symbol} {resource(change.address)}"
    words = impact_in_words(change)
    about = visible(change.reason)
    if change.action is Action.CREATE:
        about = ", ".join(essentials(change)) or about
    text = f"{f' ({words})' if words else ''}: {about}"
    first, *rest = paper.wrapped(text.lstrip(), subject + " " * text.startswith(" "), _BENEATH)
    yield paper.paint(subject, _STYLES[change.action]) + first.removeprefix(subject)
    yield from rest


def impact_in_words(change: Change) -> str:
    """What the change does to what runs; empty when that is nothing worth a word."""
    if change.action is Action.REPLACE:
        return f"recreate, {_what(change)} is lost" if change.destroys_data else "recreate"
    return "restart" if change.impact is Impact.RESTART else ""


def _what(change: Change) -> str:
    """What of a resource is lost when it is deleted or made anew."""
    if change.address.kind == "instance":
        return "its root disk with its snapshots"
    if change.address.kind == "data":
        return "what was written since"
    return "all that it holds"


def _loss(paper: Paper, change: Change) -> Iterator[str]:
    text = f"DATA LOSS: {_what(change)} is lost; needs --confirm {visible(change.address.path)}"
    first, *rest = paper.wrapped(text, _BENEATH, _BENEATH + "  ")
    yield from (paper.paint(line, Style.ALARM) for line in (first, *rest))


def _field(paper: Paper, field: FieldChange, change: Change) -> Iterator[str]:
    """`path: before → after`; on lines of their own where the two do not fit beside each other."""
    path = visible(field.path)
    room = max(_SHORTEST, paper.width - len(_BENEATH) - len(path) - 2)
    if change.action is Action.CREATE:
        yield f"{_BENEATH}{path}: {value(field.after, room)}"
        return
    arrow = paper.paint("→", Style.DIM)
    before, after = pair(field.before, field.after, paper.width - len(_BENEATH) - 4)
    if columns(before) + columns(after) + 3 <= room:
        yield f"{_BENEATH}{path}: {before} {arrow} {after}"
        return
    yield f"{_BENEATH}{path}:"
    yield f"{_BENEATH}    {before}"
    yield f"{_BENEATH}  {arrow} {after}"


def _orphans(paper: Paper, orphans: Sequence[Orphan], apply: str) -> Iterator[str]:
    yield from paper.wrapped("Orphans: this estate made them, infra.yml no longer names them.")
    for orphan in orphans:
        remarks = [
            *(["holds data"] if orphan.holds_data else []),
            *(["protected: is kept"] if orphan.protected else []),
            *([f"its data stays: {', '.join(map(visible, orphan.stays))}"] if orphan.stays else []),
        ]
        yield f"  {resource(orphan.address)}" + (f" ({', '.join(remarks)})" if remarks else "")
    deletable = [orphan for orphan in orphans if not orphan.protected]
    if deletable:
        names = [shlex.quote(visible(o.address.path)) for o in deletable if o.holds_data]
        yield "To delete them:"
        yield f"    {apply} --prune" + "".join(f" --confirm {name}" for name in names)


def _losses(paper: Paper, changes: Sequence[Change]) -> Iterator[str]:
    named = listed([resource(change.address) for change in changes])
    verb = "loses" if len(changes) == 1 else "lose"
    text = f"DATA LOSS: {count(len(changes), 'change')} {verb} data: {named}."
    yield from (paper.paint(line, Style.ALARM) for line in paper.wrapped(text, "", "  "))
