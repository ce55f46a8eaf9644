"""`freehold schema`: the JSON Schemas of infra.yml and of descriptors, for editors."""

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
OfCatalog = Annotated[
    bool, typer.Option("--catalog", help="That of a descriptor in `catalog/` instead.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def schema(out: Out = None, catalog: OfCatalog = False) -> int:
        """Print the JSON Schema of infra.yml."""
        from freehold.config.schema import json_schema_text

        text = json_schema_text(catalog=catalog)
        if out is None:
            sys.stdout.write(text)
            return ExitCode.DONE
        try:
            write_atomically(out, text)
        except OSError as failure:
            raise estate.unwritable(out, failure) from failure
        print(f"wrote {out}", file=sys.stderr)
        return ExitCode.DONE
