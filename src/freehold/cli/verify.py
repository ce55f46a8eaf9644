"""`freehold verify`: is everything as infra.yml says? Exit 2 when not. Changes nothing."""

import json
import sys

import typer

from freehold.cli import estate, interrupts
from freehold.cli.options import Directory, InLab, Json, Limit, common
from freehold.diagnostics import ExitCode
from freehold.engine.planner import Planner
from freehold.operations.verify import Verification, verify_estate
from freehold.views.verify import render_verification, verification_document


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def verify(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        limit: Limit = None,
    ) -> int:
        """Check that everything is as infra.yml says."""
        options = common(context, directory, lab, as_json)
        infra, _ = estate.loaded(options)
        selection = estate.selection(infra, limit, None)

        async def look() -> Verification:
            async with estate.provider(options) as provider:
                planner = Planner(infra=infra, provider=provider, selection=selection)
                return await verify_estate(planner, provider.incus)

        found = interrupts.run(look())
        if options.json:
            print(json.dumps(verification_document(found), indent=1))
        else:
            render_verification(found, sys.stdout, command=options.command)
            estate.tell(found.diagnostics, options)
        return ExitCode.DONE if found.is_clean else ExitCode.DIFFERENCES
