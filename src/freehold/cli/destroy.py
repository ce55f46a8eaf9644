"""`freehold destroy`: delete what this estate has made. Nothing else is touched."""

import typer

from freehold.cli import estate
from freehold.cli.carry_out import Job, carry_out
from freehold.cli.options import Confirm, Directory, InLab, Json, Limit, Yes, common
from freehold.engine.planner import Planner
from freehold.planning.document import Inputs


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def destroy(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        yes: Yes = False,
        confirm: Confirm = None,
        limit: Limit = None,
    ) -> int:
        """Delete what this estate has made, data included."""
        options = common(context, directory, lab, as_json)
        infra, loaded = estate.loaded(options)
        selection = estate.selection(infra, limit, None)
        return carry_out(
            Job(
                verb="destroy",
                options=options,
                estate=infra.name,
                planner_for=lambda provider: Planner(
                    infra=infra, provider=provider, selection=selection, destroy=True
                ),
                yes=yes,
                confirm=tuple(confirm or ()),
                inputs=Inputs(estate.sources(loaded), selection),
                tree=False,  # the files beside infra.yml describe; they are not what it made
            )
        )
