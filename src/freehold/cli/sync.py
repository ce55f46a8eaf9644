"""`freehold sync`: write the Ansible tree beside infra.yml. Needs no server, and asks nothing: what it writes over is its own."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Common, Directory, Json, Prune, common
from freehold.diagnostics import ExitCode, FreeholdError
from freehold.engine.journal import Journal
from freehold.engine.lock import STATE_FOLDER, lock
from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.model import Infra
from freehold.planning.plan import Plan
from freehold.providers.ansible.files import TreeProvider

VERB = "sync"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def sync(
        context: typer.Context,
        directory: Directory = None,
        as_json: Json = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
        ] = False,
        prune: Prune = False,
    ) -> int:
        """Write the Ansible tree beside infra.yml; needs no server."""
        options = common(context, directory, as_json=as_json)
        infra, _ = estate.loaded(options)
        folder = options.directory if options.directory.is_dir() else Path()
        planner = Planner(infra=infra, provider=TreeProvider(folder, always=True), prune=prune)
        if dry_run:
            return _show_plan(options, interrupts.run(planner.look()).plan)
        try:
            with lock(folder, VERB) as notice:
                estate.tell([notice] if notice else [], options)
                return interrupts.run(_sync(options, folder, planner))
        except OSError as error:
            raise estate.unwritable(folder / STATE_FOLDER, error) from error


def _show_plan(options: Common, plan: Plan) -> ExitCode:
    from freehold.planning.document import plan_document

    if options.json:
        print(json.dumps(plan_document(plan), indent=1))
    else:
        _render(options, plan)
    estate.tell(plan.diagnostics, options)
    return ExitCode.DONE if plan.can_apply else ExitCode.FAILED


def _render(options: Common, plan: Plan) -> None:
    from freehold.views.plan import render_plan

    render_plan(plan, sys.stdout, command=options.command, verb=VERB)
    sys.stdout.flush()


async def _sync(options: Common, folder: Path, planner: Planner) -> ExitCode:
    plan = (await planner.look()).plan
    if not options.json:
        _render(options, plan)
    if not plan.can_apply:
        raise FreeholdError(*plan.diagnostics)
    estate.tell(plan.diagnostics, options)
    started = time.monotonic()
    result = RunResult(()) if plan.is_empty else await _written(folder, planner, plan)
    _tell(options, planner.infra, plan, result, time.monotonic() - started)
    return result.exit_code


async def _written(folder: Path, planner: Planner, plan: Plan) -> RunResult:
    journal = Journal(folder, VERB)
    journal.planned(plan)
    result = await run(planner, plan, journal, asyncio.Event())
    journal.finished(result.exit_code, result.stopped)
    return result


def _tell(options: Common, infra: Infra, plan: Plan, result: RunResult, seconds: float) -> None:
    from freehold.views.run import render_result
    from freehold.views.run_document import run_document

    if options.json:
        print(json.dumps(run_document(plan, result, seconds=seconds), indent=1))
    if not plan.is_empty:
        render_result(
            result, sys.stderr, estate=infra.name, seconds=seconds, command=options.command
        )
