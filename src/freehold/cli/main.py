"""The command `freehold`: registers the verbs and turns every error into words and an exit code. The only catch-all."""

import gc
import os
import signal
import sys
from typing import Annotated

import typer

from freehold import __version__
from freehold.cli.options import Directory, InLab, Invocation, Json, common
from freehold.diagnostics import ExitCode, FreeholdError

app = typer.Typer(
    name="freehold",
    help="One file describes a self-hosted estate; `freehold apply` makes it real.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"freehold {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """One file describes a self-hosted estate; `freehold apply` makes it real."""
    common(context, directory, lab, as_json)


def _register() -> None:
    from freehold.cli import (
        alerts,
        apply,
        catalog,
        destroy,
        doctor,
        firewall,
        graph,
        init,
        lab,
        log,
        orphans,
        plan,
        schema,
        secret,
        snapshot,
        status,
        sync,
        ui,
        undo,
        updates,
        validate,
        verify,
    )

    making = (
        init,
        validate,
        plan,
        apply,
        undo,
        verify,
        status,
        ui,
        alerts,
        updates,
        firewall,
        destroy,
        orphans,
        snapshot,
        secret,
        log,
    )
    for module in (*making, sync, graph, catalog, schema, doctor, lab):
        module.register(app)


def main() -> None:
    """The entry point: runs a verb and exits with its code."""
    # Both make the start of a short-lived process faster; neither plugins nor many cycles are there to be found.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    gc.set_threshold(100_000, 50, 100)
    _register()
    invocation = Invocation()
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # see `entry`
        code = app(standalone_mode=False, obj=invocation)
    except FreeholdError as error:
        code = _fail(error, invocation.common.command)
    except typer.TyperException as error:
        code = _misused(error)
    except (KeyboardInterrupt, typer.Abort):
        print("Stopped.", file=sys.stderr)
        code = ExitCode.FAILED
    except BrokenPipeError:
        code = ExitCode.FAILED
        sys.stderr.close()
    except Exception as error:  # noqa: BLE001 - the one place where nothing may pass
        code = _bug(error)
    sys.exit(int(code or 0))


def _fail(error: FreeholdError, command: str) -> ExitCode:
    from freehold.views.diagnostics import render_diagnostics

    render_diagnostics(error.diagnostics, sys.stderr, command=command)
    return error.exit_code


def _misused(error: typer.TyperException) -> int:
    show = getattr(error, "show", None)
    if show is not None:
        show()
    else:
        print(f"Error: {error}", file=sys.stderr)
    return ExitCode.USAGE if error.exit_code == 2 else error.exit_code


def _bug(error: Exception) -> ExitCode:
    from freehold.cli.bugs import written_down
    from freehold.views.diagnostics import render_diagnostics

    render_diagnostics([written_down(error)], sys.stderr)
    return ExitCode.FAILED
