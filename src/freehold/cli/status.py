"""`freehold status`: the machines, hosts and services as they are, beside what was declared."""

import json
import sys
from dataclasses import replace

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Directory, InLab, Json, Limit, common
from freehold.cli.site import opened
from freehold.diagnostics import ExitCode
from freehold.engine.planner import Planner
from freehold.operations.host_status import read_hosts
from freehold.operations.service_status import services_of
from freehold.operations.status import Status, read_status
from freehold.views.status import render_status, status_document


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
        """Show the machines, hosts and services, and what drifted."""
        options = common(context, directory, lab, as_json)
        infra, _ = estate.loaded(options)
        selection = estate.selection(infra, limit, None)

        async def look() -> Status:
            async with opened(options) as provider:
                picture = await Planner(infra=infra, provider=provider, selection=selection).look()
                found = await read_status(provider.incus, infra, picture, selection)
                hosts = await read_hosts(provider.targets, infra, picture, selection)
                return replace(found, hosts=hosts, services=services_of(picture, selection))

        found = interrupts.run(look())
        if options.json:
            print(json.dumps(status_document(found), indent=1))
        else:
            render_status(found, sys.stdout, command=options.command)
        return ExitCode.DONE
