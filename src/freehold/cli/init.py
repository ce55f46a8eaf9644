"""`freehold init`: a new estate's folder, from a blueprint."""

import json
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli.options import Directory, Json, common
from freehold.diagnostics import ExitCode
from freehold.operations.blueprints import DEFAULT_BLUEPRINT, blueprints
from freehold.operations.initialise import STATE_PATTERN, Initialised, initialise
from freehold.views.blueprints import blueprints_document, render_blueprints


def _complete(incomplete: str) -> Iterable[tuple[str, str]]:
    return [(b.name, b.summary) for b in blueprints().values() if b.name.startswith(incomplete)]


Wanted = Annotated[
    str,
    typer.Option(
        "--blueprint", metavar="NAME", help="Which estate to begin with.", autocompletion=_complete
    ),
]
Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]", help="The new estate's folder; else the one of -C, else this one."
    ),
]
Name = Annotated[
    str | None,
    typer.Option(
        "--name", help="The estate's name. Two estates on one server need different names."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def init(
        context: typer.Context,
        folder: Folder = None,
        directory: Directory = None,
        blueprint: Wanted = DEFAULT_BLUEPRINT,
        name: Name = None,
        show_list: Annotated[bool, typer.Option("--list", help="List the blueprints.")] = False,
        as_json: Json = False,
    ) -> int:
        """Make a new estate's folder from a blueprint."""
        options = common(context, directory, as_json=as_json)
        if show_list:
            if options.json:
                print(json.dumps(blueprints_document(blueprints().values()), indent=1))
            else:
                render_blueprints(blueprints().values(), sys.stdout)
            return ExitCode.DONE
        target = options.directory / folder if folder else options.directory
        _tell(initialise(target, blueprint, name), as_json=options.json)
        return ExitCode.DONE


def _tell(made: Initialised, *, as_json: bool) -> None:
    if as_json:
        document = {
            "schema": 1,
            "kind": "init",
            "folder": str(made.folder),
            "written": made.written,
        }
        print(json.dumps(document, indent=1))
        return
    for name in made.written:
        print(f"wrote {made.folder / name}")
    if not made.state_ignored:
        print(f"Add the line {STATE_PATTERN} to {made.folder / '.gitignore'}.", file=sys.stderr)
    where = "" if made.folder == Path() else f" -C {shlex.quote(str(made.folder))}"
    root = "" if os.geteuid() == 0 else "sudo "
    print("\nNext, look into infra.yml, then:", file=sys.stderr)
    for verb in ("validate", "plan", "apply"):
        print(f"    freehold{where} {verb}", file=sys.stderr)
    print("To try it in a throwaway host on this computer first:", file=sys.stderr)
    print(f"    {root}freehold lab start\n    {root}freehold --lab{where} apply", file=sys.stderr)
