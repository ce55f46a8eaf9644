"""`freehold schema`: the JSON Schema of infra.yml, for editors."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import estate
from freehold.diagnostics import ExitCode
from freehold.system.files import write_atomically

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write it to a file instead.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def schema(out: Out = None) -> int:
        """Print the JSON Schema of infra.yml."""
        from freehold.config.schema import json_schema_text

        if out is None:
            sys.stdout.write(json_schema_text())
            return ExitCode.DONE
        try:
            write_atomically(out, json_schema_text())
        except OSError as failure:
            raise estate.unwritable(out, failure) from failure
        print(f"wrote {out}", file=sys.stderr)
        return ExitCode.DONE
