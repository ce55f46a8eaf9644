"""`freehold firewall`: what the rules between the domains have let through and dropped. Changes nothing."""

import json
import sys

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Directory, InLab, Json, common
from freehold.cli.site import opened
from freehold.diagnostics import ExitCode
from freehold.engine.planner import Planner


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def firewall(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
    ) -> int:
        """Show what passed between the domains and what was dropped."""
        from freehold.operations.firewall_counts import FirewallCounts, read_counts
        from freehold.views.firewall import counts_document, render_counts

        options = common(context, directory, lab, as_json)
        infra, _ = estate.loaded(options)

        async def look() -> FirewallCounts:
            async with opened(options) as site:
                picture = await Planner(infra=infra, provider=site).look()
                return await read_counts(site.incus, site.nftables, infra, picture)

        found = interrupts.run(look())
        if options.json:
            print(json.dumps(counts_document(found), indent=1))
        else:
            render_counts(found, sys.stdout)
        return ExitCode.DONE
