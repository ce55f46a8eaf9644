"""The options that every verb shares; they may stand before the verb or after it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[
    Path | None,
    typer.Option("-C", "--directory", help="The estate's folder.", metavar="DIR", show_default="."),
]
InLab = Annotated[bool, typer.Option("--lab", help="Work in the lab instead of this computer.")]
Json = Annotated[bool, typer.Option("--json", help="Answer as JSON on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Confirm = Annotated[
    list[str] | None,
    typer.Option(
        "--confirm",
        metavar="NAME",
        help="Agree that the data of NAME (domain/machine, or the estate) is lost. May be repeated.",
    ),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit", metavar="DOMAIN[/MACHINE]", help="Only this part of the estate. May be repeated."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="KIND", help="Only resources of this kind. May be repeated."),
]
Prune = Annotated[bool, typer.Option("--prune", help="Delete orphans too.")]


@dataclass(frozen=True, slots=True)
class Common:
    """Where a verb works and how it answers."""

    directory: Path = Path()
    lab: bool = False
    json: bool = False


def common(
    context: typer.Context,
    directory: Path | None = None,
    lab: bool = False,
    as_json: bool = False,
) -> Common:
    """What was said before the verb, and after it; the later word wins."""
    before = context.find_object(Common) or Common()
    return Common(
        directory=directory or before.directory,
        lab=lab or before.lab,
        json=as_json or before.json,
    )
