"""`freehold undo [RUN]`: go back to what was before a run, infra.yml, machines and what they hold."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import estate
from freehold.cli.carry_out import Job, carry_out
from freehold.cli.options import (
    Common,
    Confirm,
    Directory,
    InLab,
    Json,
    UndoAfter,
    Yes,
    common,
)
from freehold.cli.site import Site
from freehold.diagnostics import ExitCode
from freehold.engine.course import Course
from freehold.engine.planner import Planner, Planning
from freehold.model import Infra
from freehold.planning.document import Inputs

if TYPE_CHECKING:  # what only this verb needs, no other should load
    from freehold.operations.undo.choice import Return
    from freehold.operations.undo.texts import Texts


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def undo(
        context: typer.Context,
        run: Annotated[
            str | None,
            typer.Argument(
                help="A run's name, as `log` tells it.",
                metavar="[RUN]",
                show_default="the last that still stands",
            ),
        ] = None,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        yes: Yes = False,
        confirm: Confirm = None,
        undo_after: UndoAfter = 15,
    ) -> int:
        """Take a run back: infra.yml, machines, and what they hold if `apply --snapshot` kept it."""
        options = common(context, directory, lab, as_json)
        return _undone(options, run, yes, tuple(confirm or ()), undo_after)


def _texts(back: "Return", infra: Infra, folder: Path, now: datetime) -> "Texts":
    from freehold.operations.undo.texts import Texts

    return Texts(
        infra=infra,
        folder=folder,
        wanted=back.texts,
        known=back.saved.sources,
        stamp=f"{now:%Y%m%d-%H%M%S}",
        source=back.to.name,
    )


def _undone(
    options: Common, run: str | None, yes: bool, confirm: tuple[str, ...], undo_after: int
) -> ExitCode:
    from freehold.operations.undo.choice import returning
    from freehold.operations.undo.content import Content
    from freehold.operations.undo.course import GoingBack
    from freehold.operations.undo.reach import Reach

    folder = options.directory if options.directory.is_dir() else Path()
    back = returning(folder, run)
    infra = estate.from_sources(back.texts, options)
    was = back.saved.selection
    reach = Reach(was.limits, was.kinds, spared=frozenset(back.saved.digests))
    now = datetime.now(UTC)
    texts = _texts(back, infra, folder, now)

    def course(site: Site, planner: Planning, name: str) -> Course:
        assert isinstance(planner, Planner)
        content = Content(back=back, infra=infra, server=site.snapshots, now=now)
        return GoingBack(back=back, run=name, content=content, texts=texts, planner=planner)

    return carry_out(
        Job(
            verb="undo",
            options=options,
            estate=infra.name,
            planner_for=lambda site: Planner(
                infra=infra, provider=site, selection=reach, prune=True
            ),
            yes=yes,
            confirm=confirm,
            undo_after=undo_after,
            inputs=Inputs(back.texts, reach, prune=True),
            course_for=course,
        )
    )
