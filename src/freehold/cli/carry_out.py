"""What apply, destroy and `orphans --prune` have in common: show the plan, ask, carry it out, tell how it went."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.cli import estate, interrupts
from freehold.cli.agreement import agree
from freehold.cli.options import Common
from freehold.cli.site import Site, opened
from freehold.diagnostics import Diagnostic, ExitCode, FreeholdError, Severity, StalePlan
from freehold.engine.events import Event
from freehold.engine.journal import Journal
from freehold.engine.lock import STATE_FOLDER, lock
from freehold.engine.planner import Picture, Planner
from freehold.engine.run import RunResult, run
from freehold.planning.address import Address
from freehold.planning.compare import moved
from freehold.planning.plan import Plan
from freehold.planning.resource import Observed
from freehold.providers.firewall.provider import PATIENCE
from freehold.views.plan import render_plan
from freehold.views.run_document import run_document

_UNDER_WAY_SECONDS = 60.0  # unpacking a large image takes long
_PAUSE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run as asked for. `planner_for` makes the planner once the provider is there.

    `check` may refuse what was found, before anything is shown (a saved plan that no longer holds). `undo_after` are the
    seconds within which new firewall rules must prove good. `tree` and `refresh` are those of `site.opened`.
    """

    verb: str
    options: Common
    estate: str
    planner_for: Callable[[Site], Planner]
    yes: bool = False
    confirm: tuple[str, ...] = ()
    check: Callable[[Site, Picture], Awaitable[None]] | None = None
    undo_after: float = PATIENCE
    tree: bool = True
    refresh: bool = False


def carry_out(job: Job) -> ExitCode:
    """Do it. Raises FreeholdError for whatever keeps it from being done."""
    folder = job.options.directory if job.options.directory.is_dir() else Path()
    with contextlib.ExitStack() as held:
        try:
            notice = held.enter_context(lock(folder, job.verb))
        except OSError as error:
            raise estate.unwritable(folder / STATE_FOLDER, error) from error
        estate.tell([notice] if notice else [], job.options)
        try:
            return interrupts.run(_run(job, folder))
        except asyncio.CancelledError as error:
            raise FreeholdError(_ended_at_once()) from error


async def _run(job: Job, folder: Path) -> ExitCode:
    systems = opened(job.options, job.undo_after, tree=job.tree, refresh=job.refresh)
    async with systems as provider:
        planner = job.planner_for(provider)
        picture = await _look(planner, provider)
        plan = picture.plan
        if job.check is not None:
            await job.check(provider, picture)
        _show(job, plan)
        if not plan.can_apply:
            raise FreeholdError(*plan.diagnostics)
        estate.tell(plan.diagnostics, job.options)
        if plan.is_empty:
            return _nothing_done(job, plan)
        if agree(plan, job.estate, yes=job.yes, confirmed=job.confirm):
            now = await planner.look()
            _still_so(picture.observed, now.observed)
        return await _execute(job, folder, planner, plan)


async def _look(planner: Planner, provider: Site) -> Picture:
    """The plan, made when Incus has ended what a run that was killed had begun: what is half made looks whole."""
    picture = await planner.look()
    if picture.plan.is_empty:
        return picture
    if busy := await provider.under_way(planner.infra):
        print(f"Waiting for what Incus is still doing: {', '.join(busy)} …", file=sys.stderr)
    until = time.monotonic() + _UNDER_WAY_SECONDS
    while busy and time.monotonic() < until:
        await asyncio.sleep(_PAUSE)
        busy = await provider.under_way(planner.infra)
    return await planner.look()


def _show(job: Job, plan: Plan) -> None:
    if not job.options.json:
        render_plan(plan, sys.stdout, command=job.options.command)
        sys.stdout.flush()


def _nothing_done(job: Job, plan: Plan) -> ExitCode:
    if job.options.json:
        print(json.dumps(run_document(plan, RunResult(()), seconds=0.0), indent=1))
    return ExitCode.DONE


async def _execute(job: Job, folder: Path, planner: Planner, plan: Plan) -> ExitCode:
    from freehold.views.run import render_result

    journal = _journal(job, folder, plan)
    started = time.monotonic()
    result = await _watched(planner, plan, journal)
    journal.finished(result.exit_code, result.stopped)
    seconds = time.monotonic() - started
    if job.options.json:
        print(json.dumps(run_document(plan, result, seconds=seconds), indent=1))
    render_result(
        result, sys.stderr, estate=job.estate, seconds=seconds, command=job.options.command
    )
    if journal.problem is not None:
        estate.tell([_gap(folder, journal.problem)], job.options)
    return result.exit_code


def _journal(job: Job, folder: Path, plan: Plan) -> Journal:
    """The run's journal, with the plan in it: what cannot be written down is not begun."""
    try:
        journal = Journal(folder, job.verb)
        journal.planned(plan)
    except OSError as error:
        raise estate.unwritable(folder / STATE_FOLDER, error) from error
    return journal


async def _watched(planner: Planner, plan: Plan, journal: Journal) -> RunResult:
    """Carry the plan out, with every event shown and written down."""
    from freehold.views.progress import Progress

    with Progress(plan, sys.stderr) as progress, interrupts.heeded(progress.stopping) as stop:

        def listener(event: Event) -> None:
            journal(event)
            progress(event)

        try:
            return await run(planner, plan, listener, stop)
        except FreeholdError as error:
            journal.finished(error.exit_code)
            raise
        except asyncio.CancelledError:
            journal.finished(ExitCode.FAILED, stopped=True)
            raise


def _ended_at_once() -> Diagnostic:
    return Diagnostic(
        code="ended-at-once",
        summary="Ended at once",
        detail="What was under way may be half done.",
        hint="Run the same command again: it continues from what is real.",
    )


def _gap(folder: Path, problem: OSError) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="journal-incomplete",
        summary="The journal of this run has gaps",
        detail=f"{folder / STATE_FOLDER / 'runs'}: {problem.strerror or problem}. "
        "The run itself went on.",
        hint="Free some space; `freehold log` shows what could be written.",
    )


def _still_so(before: Mapping[Address, Observed], now: Mapping[Address, Observed]) -> None:
    different = [str(address) for address in moved(before, now)]
    if different:
        raise StalePlan(
            Diagnostic(
                code="stale-plan",
                summary="The world has moved since this plan was made",
                detail=f"Different now: {', '.join(different[:8])}. Nothing was changed.",
                hint="Look at the plan as it is now and decide again.",
            )
        )
