"""`freehold graph`: the estate as a picture, from infra.yml alone."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import estate
from freehold.cli.options import Directory, common
from freehold.diagnostics import ExitCode
from freehold.model import Infra
from freehold.system.files import write_atomically


class Format(StrEnum):
    """What the picture is written as."""

    SVG = "svg"
    MERMAID = "mermaid"


Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write it to a file instead.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def graph(
        context: typer.Context,
        directory: Directory = None,
        kind: Annotated[
            Format | None,
            typer.Option("--format", help="svg (the default), or mermaid: text that others draw."),
        ] = None,
        out: Out = None,
    ) -> int:
        """Draw the estate: domains, machines, hosts, services, policies."""
        infra, _ = estate.loaded(common(context, directory))
        picture = _drawer(kind, out)(infra)
        if out is None:
            sys.stdout.write(picture)
            return ExitCode.DONE
        try:
            write_atomically(out, picture)
        except OSError as failure:
            raise estate.unwritable(out, failure) from failure
        print(f"wrote {out}", file=sys.stderr)
        return ExitCode.DONE


def _drawer(kind: Format | None, out: Path | None) -> Callable[[Infra], str]:
    """By what was asked for, else by the name of the file (`.mmd` is Mermaid's)."""
    from freehold.operations.graph import mermaid, svg

    by_name = out is not None and out.suffix in {".mmd", ".mermaid"}
    return mermaid if kind is Format.MERMAID or (kind is None and by_name) else svg
