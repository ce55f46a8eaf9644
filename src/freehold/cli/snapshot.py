"""`freehold snapshot …`: take snapshots of machines with their volumes, list them, go back, delete them."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import estate, interrupts
from freehold.cli.carry_out import Job, carry_out
from freehold.cli.options import Common, Confirm, Directory, InLab, Json, Yes, common
from freehold.cli.site import Site, opened
from freehold.diagnostics import Diagnostic, ExitCode, LockHeld, UsageError
from freehold.model import Infra

if TYPE_CHECKING:  # what only these verbs need, no other should load
    from freehold.operations.snapshots.planner import Asked, Seen, SnapshotPlanner
    from freehold.planning.plan import Plan
    from freehold.providers.incus.snapshots.quiet import Hooks

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TARGET]...",
        help="Machines (DOMAIN/MACHINE), domains, `all`, or `self`: the machine this runs in.",
    ),
]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Of the snapshot.")]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires",
        metavar="TIME",
        help="Delete it by itself after that time: 12h, 7d, 4w.",
        show_default="never",
    ),
]
Pre = Annotated[
    str | None,
    typer.Option("--pre", metavar="COMMAND", help="Run in each machine before.", show_default="infra.yml's"),
]  # fmt: skip
Post = Annotated[
    str | None,
    typer.Option("--post", metavar="COMMAND", help="Run in each machine after, whatever happens.", show_default="infra.yml's"),
]  # fmt: skip
NoCopy = Annotated[
    bool,
    typer.Option("--no-copy", help="Do not keep what is replaced (it is kept for 7 days)."),
]

_LONGEST_WAIT = 600.0  # seconds for another run on the estate to end
_PAUSE = 5.0


def register(app: typer.Typer) -> None:
    """Add the group of verbs to the command line."""
    group = typer.Typer(
        help="Take snapshots of machines with their volumes, and go back to them.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for verb in (create, list_, restore, delete, due):
        group.command(verb.__name__.rstrip("_"))(verb)
    app.add_typer(group, name="snapshot")


def create(
    context: typer.Context,
    targets: Targets = None,
    name: Name = None,
    expires: Expires = None,
    pre: Pre = None,
    post: Post = None,
    yes: Yes = False,  # nothing is lost, so nothing is asked; scripts say it to every verb
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
) -> int:
    """Take a snapshot of machines with their volumes: of a whole domain, or of none of it."""
    from freehold.operations.snapshots.asking import hooks_of, moment_after
    from freehold.operations.snapshots.taking import named, taking

    options = common(context, directory, lab, as_json)
    chosen = named(name) if name else f"{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - for people
    infra, _ = estate.loaded(options)
    asked = taking(chosen, moment_after(expires) if expires is not None else None)
    hooks = hooks_of(infra, pre, post)
    return _carried_out(options, infra, asked, targets or ["all"], hooks, yes=True, shows=False)


def list_(
    context: typer.Context,
    targets: Targets = None,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
) -> int:
    """List snapshots."""
    from freehold.views.snapshots import render_snapshots, snapshots_document

    options = common(context, directory, lab, as_json)
    infra, _ = estate.loaded(options)
    seen, _ = _looked(options, infra, lambda seen: ((), ()), targets or ["all"], with_expiry=True)
    if options.json:
        print(json.dumps(snapshots_document(seen), indent=1))
    else:
        render_snapshots(seen, sys.stdout)
    return ExitCode.DONE


def restore(
    context: typer.Context,
    targets: Targets = None,
    name: Name = None,
    yes: Yes = False,
    confirm: Confirm = None,
    no_copy: NoCopy = False,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
) -> int:
    """Go back to a snapshot: the newest, or the one that --name says."""
    from freehold.operations.snapshots.returning import Returning

    options = common(context, directory, lab, as_json)
    infra, _ = estate.loaded(options)
    asked = Returning(name, keeps=not no_copy)
    confirmed = tuple(confirm or ())
    return _carried_out(options, infra, asked, _meant(targets), {}, yes=yes, confirm=confirmed)


def delete(
    context: typer.Context,
    targets: Targets = None,
    name: Name = None,
    yes: Yes = False,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
) -> int:
    """Delete the snapshot that --name says."""
    from freehold.operations.snapshots.taking import deleting

    options = common(context, directory, lab, as_json)
    words = _meant(targets)
    if name is None:
        raise UsageError(_no_name())
    infra, _ = estate.loaded(options)
    return _carried_out(options, infra, deleting(name), words, {}, yes=yes)


def due(
    context: typer.Context,
    directory: Directory = None,
    lab: InLab = False,
    as_json: Json = False,
) -> int:
    """Do what the schedules in infra.yml ask for now; the host's timer calls this."""
    from freehold.operations.snapshots.asking import hooks_of
    from freehold.operations.snapshots.scheduled import scheduled

    options = common(context, directory, lab, as_json)
    infra, _ = estate.loaded(options)
    asked = scheduled(datetime.now().astimezone())
    _, plan = _looked(options, infra, asked, ["all"])
    if plan.is_empty and not options.json:
        return ExitCode.DONE  # mostly so; whoever works on the estate was not kept waiting
    until = time.monotonic() + _LONGEST_WAIT
    while True:
        try:
            return _carried_out(
                options, infra, asked, ["all"], hooks_of(infra), yes=True, shows=False
            )
        except LockHeld:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)


def _looked(
    options: Common, infra: Infra, asked: "Asked", words: list[str], *, with_expiry: bool = False
) -> "tuple[Seen, Plan]":
    """What there is, and what would be done; nothing is."""
    planner_for = _planner_for(infra, asked, words, {})

    async def look() -> "tuple[Seen, Plan]":
        async with opened(options, tree=False) as site:
            planner = planner_for(site)
            planner.with_expiry = with_expiry
            picture = await planner.look()
            assert planner.seen is not None
            return planner.seen, picture.plan

    return interrupts.run(look())


def _carried_out(
    options: Common,
    infra: Infra,
    asked: "Asked",
    words: list[str],
    hooks: "Mapping[str, Hooks]",
    *,
    yes: bool,
    confirm: tuple[str, ...] = (),
    shows: bool = True,
) -> ExitCode:
    job = Job(
        verb="snapshot",
        options=options,
        estate=infra.name,
        planner_for=_planner_for(infra, asked, words, hooks),
        yes=yes,
        confirm=confirm,
        shows=shows,
        tree=False,
    )
    return carry_out(job)


def _planner_for(
    infra: Infra, asked: "Asked", words: list[str], hooks: "Mapping[str, Hooks]"
) -> "Callable[[Site], SnapshotPlanner]":
    return lambda site: site.snapshots.planner(infra, words, asked, hooks)


def _meant(targets: list[str] | None) -> list[str]:
    """What goes back or is deleted must be said: nothing is never everything."""
    if targets:
        return targets
    raise UsageError(
        Diagnostic(
            code="no-target",
            summary="Which machines?",
            detail="The command names none.",
            hint="Name machines (DOMAIN/MACHINE), domains, or `all`.",
        )
    )


def _no_name() -> Diagnostic:
    return Diagnostic(
        code="no-snapshot-name",
        summary="Which snapshot?",
        detail="--name is missing.",
        hint="Look at those there are:\n    freehold snapshot list",
    )
