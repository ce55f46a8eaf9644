"""`freehold log`: the runs of this estate; with a run's name, what happened in it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli.options import Directory, Json, common
from freehold.diagnostics import Diagnostic, ExitCode, UsageError, did_you_mean
from freehold.engine.journal import PastRun, past_runs
from freehold.views.log import render_run, render_runs, run_log_document, runs_log_document


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def log(
        context: typer.Context,
        run: Annotated[
            str | None, typer.Argument(help="A run's name, or `last`.", metavar="[RUN]")
        ] = None,
        directory: Directory = None,
        as_json: Json = False,
        count: Annotated[int, typer.Option("-n", help="How many runs.", min=1)] = 20,
    ) -> int:
        """Show past runs."""
        options = common(context, directory, False, as_json)
        folder = options.directory if options.directory.is_dir() else Path()
        runs = list(past_runs(folder))
        if run is None:
            shown = runs[:count]
            if options.json:
                print(json.dumps(runs_log_document(shown), indent=1))
            else:
                render_runs(shown, sys.stdout)
            return ExitCode.DONE
        found = _named(runs, run)
        if options.json:
            print(json.dumps(run_log_document(found), indent=1))
        else:
            render_run(found, sys.stdout)
        return ExitCode.DONE


def _named(runs: list[PastRun], name: str) -> PastRun:
    if name == "last" and runs:
        return runs[0]
    for run in runs:
        if run.name == name:
            return run
    raise UsageError(
        Diagnostic(
            code="unknown-run",
            summary="There is no run of this name",
            detail=name,
            hint=did_you_mean(name, [run.name for run in runs]) or "No run was made here yet.",
        )
    )
