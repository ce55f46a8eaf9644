"""`freehold lab …`: a throwaway host on this computer, made of namespaces with a real Incus in them."""

import json
import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.options import Json, Yes, common
from freehold.diagnostics import Diagnostic, ExitCode, FreeholdError, UsageError

if TYPE_CHECKING:  # the lab's own needs are not for every verb's start
    from freehold.operations.lab import Lab

_NAME = "lab"

Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="KIND",
        help="Of a new lab: btrfs (the default, fast) or dir.",
        autocompletion=lambda: ["btrfs", "dir"],
    ),
]
Egress = Annotated[
    bool | None,
    typer.Option(
        "--egress/--no-egress",
        help="Give machines a way to packages, by a proxy; kept until --no-egress.",
        show_default=False,
    ),
]
Agreed = Annotated[
    list[str] | None,
    typer.Option("--confirm", metavar="NAME", help=f"`{_NAME}`: agree that its data is lost."),
]
_RUN = {"ignore_unknown_options": True, "allow_interspersed_args": False}


def register(app: typer.Typer) -> None:
    """Add the group of verbs to the command line."""
    group = typer.Typer(
        help="A throwaway host on this computer, to try an estate in.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command()(start)
    group.command()(stop)
    group.command()(status)
    group.command()(reset)
    group.command(context_settings=_RUN)(run)
    app.add_typer(group, name=_NAME)


def start(storage: Storage = None, egress: Egress = None) -> int:
    """Start it; make it first when there is none. Machines that ran come back."""
    lab = _lab()
    _say("Starting the lab …")
    began = time.monotonic()
    started = lab.start(storage, egress)
    for notice in started.notices:
        _say(f"Note: {notice}.")
    if not started.fresh:
        _say("It was running already.")
        if egress is not None:
            _say("Machines follow with the next: freehold --lab apply")
        return ExitCode.DONE
    _say(
        f"It runs after {time.monotonic() - began:.1f} s, in {lab.root}. To bring up an estate in it:"
    )
    _say("    freehold --lab apply")
    return ExitCode.DONE


def stop() -> int:
    """Stop it with all its machines; their data stays."""
    lab = _lab()
    was_running = lab.running
    if was_running:
        _say("Stopping the lab …")
    lab.stop()  # also tidies up after a lab that was killed
    if not was_running:
        _say("The lab is not running.")
        return ExitCode.DONE
    _say("Stopped. Its machines come back with: freehold lab start")
    return ExitCode.DONE


def status(context: typer.Context, as_json: Json = False) -> int:
    """Say whether it runs, and what it holds."""
    from freehold.views.lab import lab_document, render_lab

    found = _lab().status()
    if common(context, as_json=as_json).json:
        print(json.dumps(lab_document(found), indent=1))
    else:
        render_lab(found, sys.stdout)
    return ExitCode.DONE


def reset(yes: Yes = False, confirm: Agreed = None) -> int:
    """Delete it with everything in it. The cache of images stays."""
    lab = _lab()
    if not lab.root.exists():
        _say("There is no lab.")
        return ExitCode.DONE
    _agree(lab, yes=yes, confirmed=_NAME in (confirm or ()))
    _say("Deleting the lab …")
    lab.reset()
    _say("Deleted.")
    return ExitCode.DONE


def run(
    command: Annotated[
        list[str], typer.Argument(metavar="-- CMD", help="The command and its arguments.")
    ],
) -> int:
    """Run a command inside, where `incus` finds the lab's daemon. Its exit code is this one's."""
    # Ctrl-C is for the command; a handler (unlike SIG_IGN) is not inherited by it.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    return _lab().run(command)


def _lab() -> "Lab":
    from freehold.operations.lab import Lab

    return Lab()


def _agree(lab: "Lab", *, yes: bool, confirmed: bool) -> None:
    """Machines and volumes need their own agreement, an empty lab an ordinary one. Raises when there is none."""
    from freehold.operations.lab_losses import losses
    from freehold.views.lab import losses_in_words

    found = losses(lab)
    if confirmed or (yes and not found.is_data):
        return
    question = (
        losses_in_words(found)
        if found.is_data
        else f"The lab in {lab.root} is deleted; it holds no machines."
    )
    if yes or not sys.stdin.isatty():
        raise UsageError(_not_agreed(question, is_data=found.is_data))
    _say(question)
    wanted = _NAME if found.is_data else "y"
    asked = f"Type {_NAME} to agree: " if found.is_data else "Do it? [y/N] "
    print(asked, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != wanted:
        raise FreeholdError(
            Diagnostic(code="declined", summary="Not agreed", detail="Nothing was changed.")
        )


def _not_agreed(question: str, *, is_data: bool) -> Diagnostic:
    option = f"--confirm {_NAME}" if is_data else "--yes"
    return Diagnostic(
        code="not-confirmed" if is_data else "not-agreed",
        summary="This would delete the lab, which needs an agreement",
        detail=f"{question} Nothing was changed.",
        hint=f"If that is meant:\n    freehold lab reset {option}",
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
