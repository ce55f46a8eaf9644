"""`freehold orphans`: what this estate made and infra.yml no longer names; `--prune` deletes it, and only that."""

import json
import sys

import typer

from freehold.cli import estate, interrupts
from freehold.cli.carry_out import Job, carry_out
from freehold.cli.options import Confirm, Directory, InLab, Json, Limit, Prune, Yes, common
from freehold.cli.site import opened
from freehold.diagnostics import ExitCode
from freehold.engine.planner import Picture, Planner
from freehold.planning.document import Inputs
from freehold.views.orphans import orphans_document, render_orphans


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def orphans(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        limit: Limit = None,
        prune: Prune = False,
        yes: Yes = False,
        confirm: Confirm = None,
    ) -> int:
        """List what infra.yml no longer names; with --prune, delete it."""
        options = common(context, directory, lab, as_json)
        infra, loaded = estate.loaded(options)
        selection = estate.selection(infra, limit, None)
        if prune:
            return carry_out(
                Job(
                    verb="orphans --prune",
                    options=options,
                    estate=infra.name,
                    planner_for=lambda provider: Planner(
                        infra=infra, provider=provider, selection=selection, orphans_only=True
                    ),
                    yes=yes,
                    confirm=tuple(confirm or ()),
                    inputs=Inputs(estate.sources(loaded), selection, prune=True),
                )
            )

        async def look() -> Picture:
            async with opened(options) as provider:
                return await Planner(infra=infra, provider=provider, selection=selection).look()

        found = interrupts.run(look()).plan
        if options.json:
            print(json.dumps(orphans_document(found), indent=1))
        else:
            render_orphans(found, sys.stdout, command=options.command)
        return ExitCode.DONE
