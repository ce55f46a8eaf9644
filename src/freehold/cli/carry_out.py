"""What apply, undo, destroy and `orphans --prune` have in common: show the plan, ask, carry it out, tell how it went."""

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
from freehold.cli.record import Record
from freehold.cli.site import Site, opened
from freehold.diagnostics import Diagnostic, ExitCode, FreeholdError, StalePlan
from freehold.engine.course import Course
from freehold.engine.journal import run_name
from freehold.engine.lock import STATE_FOLDER, lock
from freehold.engine.planner import Picture, Planning
from freehold.engine.run import RunResult
from freehold.planning.address import Address
from freehold.planning.compare import moved
from freehold.planning.document import Inputs
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

    `shows`: the plan is shown first. `check` may refuse what was found, before anything is shown (a saved plan that no longer
    holds). `undo_after` are the seconds within which new firewall rules must prove good. `tree`, `refresh` and `copies` are those of
    `site.opened`. `inputs` are what the plan was made from, which is kept with the run; None: the run is none that `undo` takes
    back. `course_for` makes what the run does beside its plan, given the planner and the run's name.
    """

    verb: str
    options: Common
    estate: str
    planner_for: Callable[[Site], Planning]
    yes: bool = False
    shows: bool = True
    confirm: tuple[str, ...] = ()
    check: Callable[[Site, Picture], Awaitable[None]] | None = None
    undo_after: float = PATIENCE
    tree: bool = True
    refresh: bool = False
    copies: bool = False
    inputs: Inputs | None = None
    course_for: Callable[[Site, Planning, str], Course] | None = None


@dataclass(frozen=True, slots=True)
class _Work:
    """A run that is under way: who plans it, its name, and what it does beside its plan."""

    job: Job
    folder: Path
    planner: Planning
    name: str
    course: Course | None

    async def look(self) -> Picture:
        return await self.with_course(await self.planner.look())

    async def with_course(self, picture: Picture) -> Picture:
        return picture if self.course is None else await self.course.look(picture)


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
    systems = opened(
        job.options, job.undo_after, tree=job.tree, refresh=job.refresh, copies=job.copies
    )
    async with systems as provider:
        planner, name = job.planner_for(provider), run_name(job.verb)
        course = job.course_for(provider, planner, name) if job.course_for else None
        work = _Work(job, folder, planner, name, course)
        picture = await _look(planner, provider)
        if job.check is not None:
            await job.check(provider, picture)
        picture = await work.with_course(picture)
        plan = picture.plan
        if job.shows or not plan.can_apply:
            _show(work, plan)
        if not plan.can_apply:
            raise FreeholdError(*plan.diagnostics)
        estate.tell(plan.diagnostics, job.options)
        if plan.is_empty:
            return _nothing_done(job, plan)
        if agree(plan, job.estate, yes=job.yes, confirmed=job.confirm):
            now = await work.look()
            _still_so(picture.observed, now.observed)
        return await _execute(work, picture)


async def _look(planner: Planning, provider: Site) -> Picture:
    """The plan, made when Incus has ended what a run that was killed had begun: what is half made looks whole."""
    busy = await provider.under_way(planner.infra)
    picture = await planner.look()
    if not busy or picture.plan.is_empty:
        return picture
    print(f"Waiting for what Incus is still doing: {', '.join(busy)} …", file=sys.stderr)
    until = time.monotonic() + _UNDER_WAY_SECONDS
    while busy and time.monotonic() < until:
        await asyncio.sleep(_PAUSE)
        busy = await provider.under_way(planner.infra)
    return await planner.look()


def _show(work: _Work, plan: Plan) -> None:
    options = work.job.options
    if not options.json:
        render_plan(plan, sys.stdout, command=options.command)
        if work.course is not None and not plan.is_empty:
            for line in work.course.words():
                print(line.replace("freehold ", f"{options.command} "))
        sys.stdout.flush()


def _nothing_done(job: Job, plan: Plan) -> ExitCode:
    if job.options.json:
        print(json.dumps(run_document(plan, RunResult(()), seconds=0.0), indent=1))
    return _with_hosts(plan, ExitCode.DONE)


def _with_hosts(plan: Plan, code: ExitCode) -> ExitCode:
    """What is on a host that does not answer was asked for too, and was not done."""
    return ExitCode.PARTLY_APPLIED if plan.unreached and code is ExitCode.DONE else code


async def _execute(work: _Work, picture: Picture) -> ExitCode:
    from freehold.views.run import render_result

    job, plan = work.job, picture.plan
    record = Record(
        folder=work.folder, verb=job.verb, run=work.name, inputs=job.inputs, course=work.course
    )
    started = time.monotonic()
    result = await record.carried_out(work.planner, picture)
    seconds = time.monotonic() - started
    if job.options.json:
        document = run_document(plan, result, seconds=seconds)
        print(json.dumps({**document, **record.facts}, indent=1))
    render_result(
        result, sys.stderr, estate=job.estate, seconds=seconds, command=job.options.command
    )
    estate.tell(record.gaps(), job.options)
    return _with_hosts(plan, result.exit_code)


def _ended_at_once() -> Diagnostic:
    return Diagnostic(
        code="ended-at-once",
        summary="Ended at once",
        detail="What was under way may be half done.",
        hint="Run the same command again: it continues from what is real.",
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
