"""`freehold init`: a new estate's folder, from a blueprint."""

import json
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.options import Directory, Json, common
from freehold.diagnostics import ExitCode

if TYPE_CHECKING:  # reading package data is not for every verb's start
    from freehold.operations.initialise import Initialised


def _complete(incomplete: str) -> Iterable[tuple[str, str]]:
    from freehold.operations.blueprints import blueprints

    return [(b.name, b.summary) for b in blueprints().values() if b.name.startswith(incomplete)]


Wanted = Annotated[
    str | None,
    typer.Option(
        "--blueprint",
        metavar="NAME",
        help="Which estate to begin with.",
        show_default="workstation",
        autocompletion=_complete,
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
        blueprint: Wanted = None,
        name: Name = None,
        show_list: Annotated[bool, typer.Option("--list", help="List the blueprints.")] = False,
        as_json: Json = False,
    ) -> int:
        """Make a new estate's folder from a blueprint."""
        from freehold.operations.blueprints import DEFAULT_BLUEPRINT
        from freehold.operations.initialise import initialise

        options = common(context, directory, as_json=as_json)
        if show_list:
            _list(as_json=options.json)
            return ExitCode.DONE
        target = options.directory / folder if folder else options.directory
        made = initialise(target, blueprint or DEFAULT_BLUEPRINT, name)
        _tell(made, as_json=options.json)
        return ExitCode.DONE


def _list(*, as_json: bool) -> None:
    from freehold.operations.blueprints import blueprints
    from freehold.views.blueprints import blueprints_document, render_blueprints

    if as_json:
        print(json.dumps(blueprints_document(blueprints().values()), indent=1))
    else:
        render_blueprints(blueprints().values(), sys.stdout)


def _tell(made: "Initialised", *, as_json: bool) -> None:
    from freehold.operations.initialise import STATE_PATTERN

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
