"""`freehold plan`: what apply would change, without changing it."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Common, Directory, InLab, Json, Limit, Only, Prune, Refresh, common
from freehold.cli.site import opened
from freehold.diagnostics import ExitCode
from freehold.engine.planner import Picture, Planner
from freehold.planning.document import SavedPlan, digests, plan_document
from freehold.planning.plan import Plan
from freehold.system.files import write_atomically
from freehold.views.plan import render_plan


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def plan(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        limit: Limit = None,
        only: Only = None,
        prune: Prune = False,
        refresh: Refresh = False,
        out: Annotated[
            Path | None,
            typer.Option("--out", help="Save the plan for `apply FILE`.", metavar="FILE"),
        ] = None,
        capacity: Annotated[
            bool, typer.Option("--capacity", help="Show who takes what of the computer.")
        ] = False,
        detailed_exitcode: Annotated[
            bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are changes.")
        ] = False,
    ) -> int:
        """Show what apply would change."""
        options = common(context, directory, lab, as_json)
        infra, loaded = estate.loaded(options)
        selection = estate.selection(infra, limit, only)

        async def look() -> Picture:
            async with opened(options, refresh=refresh) as provider:
                planner = Planner(
                    infra=infra,
                    provider=provider,
                    selection=selection,
                    prune=prune,
                    measure=capacity or options.json,
                )
                picture = await planner.look()
                await estate.check_options(options, provider, picture)
                return picture

        picture = interrupts.run(look())
        made = picture.plan
        _show(options, made, capacity)
        if out is not None:
            saved = SavedPlan(
                document=plan_document(made),
                digests=digests(picture.observed),
                sources=estate.sources(loaded),
                selection=selection,
                prune=prune,
                refresh=refresh,
            )
            _save(out, saved, options)
        if not made.can_apply:
            return ExitCode.FAILED
        return ExitCode.DIFFERENCES if detailed_exitcode and not made.is_empty else ExitCode.DONE


def _show(options: Common, made: Plan, capacity: bool) -> None:
    if options.json:
        from freehold.views.capacity import measured_plan_document

        print(json.dumps(measured_plan_document(made), indent=1))
    else:
        render_plan(made, sys.stdout, command=options.command, capacity=capacity)
    estate.tell(made.diagnostics, options)


def _save(path: Path, saved: SavedPlan, options: Common) -> None:
    try:
        write_atomically(path, saved.dump(), mode=0o600)
    except OSError as error:
        raise estate.unwritable(path, error) from error
    print(
        f"Saved. To do exactly this: {options.command} apply {shlex.quote(str(path))}",
        file=sys.stderr,
    )
