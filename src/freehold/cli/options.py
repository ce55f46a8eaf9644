"""The options that every verb shares; they may stand before the verb or after it."""

import shlex
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

Refresh = Annotated[
    bool,
    typer.Option(
        "--refresh", help="Provision machines again, whatever they were provisioned with."
    ),
]
Snapshot = Annotated[
    bool,
    typer.Option(
        "--snapshot", help="First take a snapshot of each machine that changes, for `undo`."
    ),
]
UndoAfter = Annotated[
    int,
    typer.Option(
        "--undo-after",
        metavar="SECONDS",
        min=3,
        max=600,
        help="How long new firewall rules have to prove good before the old ones come back.",
    ),
]


@dataclass(frozen=True, slots=True)
class Common:
    """Where a verb works and how it answers."""

    directory: Path = Path()
    lab: bool = False
    json: bool = False

    @property
    def command(self) -> str:
        """How the user calls Freehold here: `freehold --lab -C demo`."""
        place = "" if self.directory == Path() else f" -C {shlex.quote(str(self.directory))}"
        return f"freehold{' --lab' if self.lab else ''}{place}"


@dataclass(slots=True)
class Invocation:
    """One call of the command; `main` keeps it to say in errors what to type next."""

    common: Common = Common()


def common(
    context: typer.Context,
    directory: Path | None = None,
    lab: bool = False,
    as_json: bool = False,
) -> Common:
    """What was said before the verb, and after it; the later word wins."""
    invocation = context.ensure_object(Invocation)
    before = invocation.common
    invocation.common = Common(
        directory=directory or before.directory,
        lab=lab or before.lab,
        json=as_json or before.json,
    )
    return invocation.common
