"""`freehold status`: is everything well? The estate as it is, beside what was declared; `ui` shows the same as a page."""

import json
import sys
from functools import partial

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Directory, InLab, Json, Limit, common
from freehold.cli.site import lab_holder, opened
from freehold.diagnostics import ExitCode
from freehold.engine.planner import Planner


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def status(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        limit: Limit = None,
    ) -> int:
        """Show the machines, hosts and services, what drifted, and what needs you."""
        from freehold.operations.overview import Overview
        from freehold.operations.overview.look import Surroundings, look
        from freehold.views.overview import render_overview, untold
        from freehold.views.overview_document import overview_document

        options = common(context, directory, lab, as_json)
        infra, loaded = estate.loaded(options)
        selection = estate.selection(infra, limit, None)

        async def seen() -> Overview:
            async with opened(options) as site:
                planner = Planner(infra=infra, provider=site, selection=selection)
                around = Surroundings(
                    folder=options.directory,
                    incus=site.incus,
                    targets=site.targets,
                    timers=site.timers,
                    lab=partial(lab_holder, options),
                )
                return await look(planner, around, loaded.diagnostics)

        found = interrupts.run(seen())
        if options.json:
            print(json.dumps(overview_document(found, options.command), indent=1))
        else:
            estate.tell(untold(found, loaded.diagnostics), options)
            render_overview(found, sys.stdout, command=options.command)
        return ExitCode.DONE
