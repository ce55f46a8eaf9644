"""`freehold validate`: whether infra.yml describes a possible estate; every problem at once."""

import json
import sys
from pathlib import Path

import typer

from freehold.cli import estate
from freehold.cli.options import Common, Directory, InLab, Json, common
from freehold.config.load import load
from freehold.diagnostics import ConfigError, ExitCode


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command()
    def validate(
        context: typer.Context,
        directory: Directory = None,
        lab: InLab = False,
        as_json: Json = False,
    ) -> int:
        """Check infra.yml; needs no server."""
        from freehold.operations.server_options import server_options
        from freehold.views.validation import render_valid, validation_document

        options = common(context, directory, lab, as_json)
        found = load(options.directory, known_config=server_options(_socket(options)))
        if options.json:
            print(json.dumps(validation_document(found.diagnostics), indent=1))
            return ExitCode.INVALID_CONFIGURATION if found.infra is None else ExitCode.DONE
        if found.infra is None:
            raise ConfigError(*found.diagnostics)
        estate.tell(found.diagnostics, options)
        sys.stderr.flush()
        render_valid(found.infra, len(found.diagnostics), sys.stdout)
        return ExitCode.DONE


def _socket(options: Common) -> Path:
    if not options.lab:
        from freehold.cli.site import system_socket

        return system_socket()
    from freehold.operations.lab import Lab

    return Lab().socket
