"""What apply, destroy and `orphans --prune` have in common: show the plan, ask, carry it out, tell how it went."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.cli import estate
from freehold.cli.agreement import agree
from freehold.cli.options import Common
from freehold.diagnostics import Diagnostic, ExitCode, FreeholdError, StalePlan
from freehold.engine.events import Event
from freehold.engine.journal import Journal
from freehold.engine.lock import lock
from freehold.engine.planner import Picture, Planner
from freehold.engine.run import RunResult, run
from freehold.planning.address import Address
from freehold.planning.compare import moved
from freehold.planning.plan import Plan
from freehold.planning.resource import Observed
from freehold.providers.incus.provider import IncusProvider
from freehold.views.plan import render_plan
from freehold.views.run_document import run_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run as asked for. `planner_for` makes the planner once the provider is there.

    `check` may refuse what was found, before anything is shown (a saved plan that no longer holds).
    """

    verb: str
    options: Common
    estate: str
    planner_for: Callable[[IncusProvider], Planner]
    yes: bool = False
    confirm: tuple[str, ...] = ()
    check: Callable[[IncusProvider, Picture], Awaitable[None]] | None = None


def carry_out(job: Job) -> ExitCode:
    """Do it. Raises FreeholdError for whatever keeps it from being done."""
    folder = job.options.directory if job.options.directory.is_dir() else Path()
    try:
        with lock(folder, job.verb) as notice:
            estate.tell([notice] if notice else [])
            return estate.until_done(lambda stop: _run(job, folder, stop))
    except OSError as error:
        raise estate.unwritable(folder / ".freehold", error) from error


async def _run(job: Job, folder: Path, stop: asyncio.Event) -> ExitCode:
    async with estate.provider(job.options) as provider:
        planner = job.planner_for(provider)
        picture = await planner.look()
        plan = picture.plan
        if job.check is not None:
            await job.check(provider, picture)
        _show(job, plan)
        if not plan.can_apply:
            raise FreeholdError(*plan.diagnostics)
        estate.tell(plan.diagnostics)
        if plan.is_empty:
            return _nothing_done(job, plan)
        if agree(plan, job.estate, yes=job.yes, confirmed=job.confirm):
            now = await planner.look()
            _still_so(picture.observed, now.observed)
        return await _execute(job, folder, planner, plan, stop)


def _show(job: Job, plan: Plan) -> None:
    if not job.options.json:
        render_plan(plan, sys.stdout)
        sys.stdout.flush()


def _nothing_done(job: Job, plan: Plan) -> ExitCode:
    if job.options.json:
        print(json.dumps(run_document(plan, RunResult(()), seconds=0.0), indent=1))
    return ExitCode.DONE


async def _execute(
    job: Job, folder: Path, planner: Planner, plan: Plan, stop: asyncio.Event
) -> ExitCode:
    from freehold.views.progress import Progress
    from freehold.views.run import render_result

    journal = Journal(folder, job.verb)
    journal.planned(plan)
    started = time.monotonic()
    with Progress(plan, sys.stderr) as progress:

        def listener(event: Event) -> None:
            journal(event)
            progress(event)

        try:
            result = await run(planner, plan, listener, stop)
        except FreeholdError as error:
            journal.finished(error.exit_code)
            raise
    journal.finished(result.exit_code, result.stopped)
    seconds = time.monotonic() - started
    if job.options.json:
        print(json.dumps(run_document(plan, result, seconds=seconds), indent=1))
    render_result(result, sys.stderr, estate=job.estate, seconds=seconds)
    return result.exit_code


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
