"""`freehold apply`: make the estate as infra.yml says, or carry out a saved plan exactly."""

from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import estate
from freehold.cli.carry_out import Job, carry_out
from freehold.cli.options import (
    Common,
    Confirm,
    Directory,
    InLab,
    Json,
    Limit,
    Only,
    Prune,
    Refresh,
    Snapshot,
    UndoAfter,
    Yes,
    common,
)
from freehold.cli.site import Site
from freehold.diagnostics import Diagnostic, ExitCode, UsageError
from freehold.engine.course import Course
from freehold.engine.planner import Picture, Planner, Planning
from freehold.planning.document import Inputs, SavedPlan


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def apply(
        context: typer.Context,
        plan_file: Annotated[
            Path | None, typer.Argument(help="A plan saved by `plan --out`.", metavar="[FILE]")
        ] = None,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
        yes: Yes = False,
        confirm: Confirm = None,
        limit: Limit = None,
        only: Only = None,
        prune: Prune = False,
        refresh: Refresh = False,
        snapshot: Snapshot = False,
        undo_after: UndoAfter = 15,
    ) -> int:
        """Make the estate as infra.yml says."""
        options = common(context, directory, lab, as_json)
        if plan_file is not None:
            if limit or only or prune or refresh:
                raise UsageError(_plan_says_all())
            return _saved(options, plan_file, yes, tuple(confirm or ()), undo_after, snapshot)
        infra, loaded = estate.loaded(options)
        selection = estate.selection(infra, limit, only)
        return carry_out(
            Job(
                verb="apply",
                options=options,
                estate=infra.name,
                planner_for=lambda provider: Planner(
                    infra=infra, provider=provider, selection=selection, prune=prune
                ),
                yes=yes,
                confirm=tuple(confirm or ()),
                check=lambda provider, picture: estate.check_options(options, provider, picture),
                undo_after=undo_after,
                refresh=refresh,
                inputs=Inputs(estate.sources(loaded), selection, prune, refresh),
                course_for=snapshots_first if snapshot else None,
            )
        )


def _saved(
    options: Common,
    path: Path,
    yes: bool,
    confirm: tuple[str, ...],
    undo_after: int,
    snapshot: bool,
) -> ExitCode:
    try:
        saved = SavedPlan.parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(_unreadable(path, error)) from error
    infra = estate.from_sources(saved.sources, options)

    async def check(provider: Site, picture: Picture) -> None:
        saved.check(picture.plan, picture.observed)

    return carry_out(
        Job(
            verb="apply",
            options=options,
            estate=infra.name,
            planner_for=lambda provider: Planner(
                infra=infra, provider=provider, selection=saved.selection, prune=saved.prune
            ),
            yes=yes,
            confirm=confirm,
            check=check,
            undo_after=undo_after,
            refresh=saved.refresh,
            inputs=Inputs(saved.sources, saved.selection, saved.prune, saved.refresh),
            course_for=snapshots_first if snapshot else None,
        )
    )


def snapshots_first(site: Site, planner: Planning, run: str) -> Course:
    """For `carry_out`: snapshots of the machines that the run changes, named after it."""
    from freehold.operations.snapshots.first import SnapshotsFirst

    return SnapshotsFirst(planner=planner, server=site.snapshots, run=run)


def _plan_says_all() -> Diagnostic:
    return Diagnostic(
        code="plan-says-all",
        summary="A saved plan says itself what is done",
        detail="--limit, --only, --prune and --refresh belong to `plan --out`, not to `apply FILE`.",
    )


def _unreadable(path: Path, error: Exception) -> Diagnostic:
    reason = error.strerror if isinstance(error, OSError) else "it is not text"
    return Diagnostic(
        code="unreadable-plan",
        summary="The saved plan cannot be read",
        detail=f"{path}: {reason}.",
        hint="Make one:\n    freehold plan --out FILE",
    )
