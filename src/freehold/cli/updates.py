"""`freehold updates`: what runs beside what there is; `updates apply` brings it, with a copy of the data and a way back."""

import json
import sys
from datetime import UTC, datetime

import typer

from freehold.cli import estate, interrupts
from freehold.cli.carry_out import Job, carry_out
from freehold.cli.options import Confirm, Directory, InLab, Json, Limit, Yes, common
from freehold.cli.site import opened
from freehold.diagnostics import ExitCode
from freehold.engine.planner import Picture, Planner
from freehold.planning.document import Inputs
from freehold.planning.selection import Selection

_KINDS = ("secret", "file", "provision", "compose", "service")
"""What an update is made of: a new version may read a secret that the old one did not, and open a port, which a host first has rules for."""


def register(app: typer.Typer) -> None:
    """Add the group of verbs to the command line."""
    group = typer.Typer(
        help="Which versions run, which there are, and until when they are mended.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    group.callback()(show)
    group.command("apply")(bring)
    app.add_typer(group, name="updates")


def show(
    context: typer.Context,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
) -> int:
    """Show which versions run, which there are, and until when they are mended."""
    from freehold.operations.updates import not_looked_at, updates
    from freehold.views.updates import render_updates, updates_document

    options = common(context, directory, lab, as_json)
    if context.invoked_subcommand is not None:
        return ExitCode.DONE
    infra, _ = estate.loaded(options)

    async def look() -> Picture:
        async with opened(options) as site:
            return await Planner(infra=infra, provider=site).look()

    picture = interrupts.run(look())
    unknown, today = not_looked_at(picture.plan), datetime.now(UTC).date()
    found = updates(infra, picture.observed, unknown)
    if unknown:
        estate.tell([each for each in picture.plan.diagnostics if not each.is_error], options)
    if options.json:
        print(json.dumps(updates_document(found, today), indent=1))
    else:
        render_updates(found, today, sys.stdout, command=options.command)
    return ExitCode.DONE


def bring(
    context: typer.Context,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
    yes: Yes = False,
    confirm: Confirm = None,
    limit: Limit = None,
) -> int:
    """Bring services to their versions: copy their data, update, wait until they are healthy, and go back with the data where they are not."""
    options = common(context, directory, lab, as_json)
    infra, loaded = estate.loaded(options)
    chosen = Selection(estate.selection(infra, limit, None).limits, _KINDS)
    return carry_out(
        Job(
            verb="updates apply",
            options=options,
            estate=infra.name,
            planner_for=lambda site: Planner(infra=infra, provider=site, selection=chosen),
            yes=yes,
            confirm=tuple(confirm or ()),
            check=lambda site, picture: estate.check_options(options, site, picture),
            copies=True,
            inputs=Inputs(estate.sources(loaded), chosen),
        )
    )
