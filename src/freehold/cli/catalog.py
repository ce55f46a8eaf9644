"""`freehold catalog …`: which services there are, and what one may choose about each."""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.options import Directory, InLab, Json, common
from freehold.config.files import is_folder
from freehold.diagnostics import (
    ConfigError,
    Diagnostic,
    ExitCode,
    UsageError,
    has_errors,
)

if TYPE_CHECKING:
    from freehold.cli.options import Common
    from freehold.config.catalog.catalog import Catalog

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `catalog list` names it.")]


def register(app: typer.Typer) -> None:
    """Add the group of verbs to the command line."""
    group = typer.Typer(
        help="What services there are, and what one may choose about each.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_services)
    group.command()(show)
    app.add_typer(group, name="catalog")


def list_services(
    context: typer.Context, directory: Directory = None, lab: InLab = False, as_json: Json = False
) -> int:
    """List the services that Freehold knows, those in `catalog/` beside infra.yml included."""
    from freehold.cli import estate
    from freehold.views.catalog import catalog_document, render_catalog

    options = common(context, directory, lab, as_json)
    catalog = _catalog(options)
    entries = [entry for name in catalog.names() if (entry := catalog.entry(name))]
    if options.json:
        print(json.dumps(catalog_document(entries), indent=1, ensure_ascii=False))
        return ExitCode.DONE
    estate.tell(tuple(catalog.problems()), options)
    sys.stderr.flush()
    render_catalog(entries, datetime.now(UTC).date(), sys.stdout)
    return ExitCode.DONE


def show(
    context: typer.Context,
    name: Name,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
) -> int:
    """Show one with its settings, ports, needs, secrets and data."""
    from freehold.views.catalog import descriptor_document, render_descriptor

    options = common(context, directory, lab, as_json)
    catalog = _catalog(options)
    entry = catalog.entry(name)
    if entry is None:
        raise UsageError(_unknown(name, catalog))
    if entry.descriptor is None or has_errors(entry.problems):
        raise ConfigError(*entry.problems)
    if options.json:
        print(json.dumps(descriptor_document(entry), indent=1, ensure_ascii=False))
    else:
        render_descriptor(entry, sys.stdout)
    return ExitCode.DONE


def _catalog(options: "Common") -> "Catalog":
    from freehold.config.catalog.catalog import Catalog

    place = options.directory
    return Catalog(place if is_folder(place) else place.parent)


def _unknown(name: str, catalog: "Catalog") -> Diagnostic:
    from freehold.config.catalog.also_called import meant

    return Diagnostic(
        code="unknown-service",
        summary="Not in the catalog",
        detail=f"There is no `{name}` in the catalog.",
        hint=meant(name, catalog.names()) or "See `freehold catalog list`.",
    )
