"""`freehold secret …`: the secrets of an estate, without any of them in an argument. Values come by a prompt or standard input."""

import getpass
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import estate
from freehold.cli import secret_problems as problems
from freehold.cli.agreement import agree_to
from freehold.cli.options import Common, Directory, Json, Yes, common
from freehold.cli.secret_editing import parsed, through_editor
from freehold.diagnostics import ExitCode, UsageError

if TYPE_CHECKING:  # what only these verbs need, no other should load
    from freehold.model import Infra
    from freehold.system.secrets.store import SecretsFile

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the secret.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Of the secrets.")]
Length = Annotated[
    int | None,
    typer.Option(
        "--length", metavar="CHARACTERS", min=16, max=1024, help="Of the new value.", show_default="the service's"
    ),
]  # fmt: skip
Stdin = Annotated[
    bool,
    typer.Option("--stdin", help="Take the whole new text from standard input, without an editor."),
]


def register(app: typer.Typer) -> None:
    """Add the group of verbs to the command line."""
    group = typer.Typer(
        help="Look after the secrets of the estate, which are encrypted in secrets.yml.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for verb in (list_, set_, show, rotate, remove, edit):
        group.command(verb.__name__.rstrip("_"))(verb)
    app.add_typer(group, name="secret")


def list_(context: typer.Context, directory: Directory = None, as_json: Json = False) -> int:
    """List the secrets there are and those that infra.yml needs, without their values."""
    from freehold.providers.secrets.needs import needed_secrets
    from freehold.views.secrets import listed, render_secrets, secrets_document

    options = common(context, directory, as_json=as_json)
    infra, secrets = _estate(options), _opened(options)
    files = {name: secrets.file_of(name) for name in secrets.names()}
    shown = listed(files, needed_secrets(infra))
    if options.json:
        print(json.dumps(secrets_document(shown), indent=1))
    else:
        render_secrets(shown, sys.stdout)
    return ExitCode.DONE


def set_(context: typer.Context, name: Name, directory: Directory = None) -> int:
    """Give a secret its value: asked for without being shown, or from standard input."""
    options = common(context, directory)
    secrets = _opened(options)
    secrets.put(name, _given(name))
    _tell_of_identity(secrets, options)
    print(f"Kept {name} in {secrets.path}.", file=sys.stderr)
    return ExitCode.DONE


def show(
    context: typer.Context, name: Name, directory: Directory = None, as_json: Json = False
) -> int:
    """Print the value of a secret."""
    options = common(context, directory, as_json=as_json)
    value = _opened(options).value(name)
    if options.json:
        from freehold.views.secrets import secret_document

        print(json.dumps(secret_document(name, value), indent=1))
        return ExitCode.DONE
    sys.stdout.buffer.write(value)
    if sys.stdout.isatty() and not value.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    return ExitCode.DONE


def rotate(
    context: typer.Context, names: Names, length: Length = None, directory: Directory = None
) -> int:
    """Generate new values for secrets, and say what that restarts."""
    from freehold.providers.secrets.needs import in_restart_order, needed_secrets
    from freehold.system.secrets.generated import generated
    from freehold.views.secrets import render_consequences

    options = common(context, directory)
    infra, secrets = _estate(options), _opened(options)
    needed = needed_secrets(infra)
    lengths = {name: length or (needed[name].length if name in needed else None) for name in names}
    known = {name: found for name, found in lengths.items() if found is not None}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(*(problems.not_generated(name) for name in unknown))
    secrets.change(lambda values: values.update({n: generated(known[n]) for n in known}))
    _tell_of_identity(secrets, options)
    print(f"New: {', '.join(known)}.", file=sys.stderr)
    places = [place for name in known if name in needed for place in needed[name].places]
    services = in_restart_order(infra, known)
    render_consequences(services, places, sys.stderr, command=options.command)
    return ExitCode.DONE


def remove(
    context: typer.Context, names: Names, yes: Yes = False, directory: Directory = None
) -> int:
    """Delete secrets for good."""
    options = common(context, directory)
    secrets = _opened(options)
    secrets.refuse_removal(names)
    if not yes:
        agree_to(f"Delete {', '.join(names)} for good?")
    secrets.remove(*names)
    print(f"Deleted {', '.join(names)}.", file=sys.stderr)
    return ExitCode.DONE


def edit(
    context: typer.Context, stdin: Stdin = False, yes: Yes = False, directory: Directory = None
) -> int:
    """Open the secrets in an editor, as a text in memory; the file is written anew for all its recipients."""
    from freehold.system.secrets.document import Entries, write_entries
    from freehold.system.secrets.editing import merged

    options = common(context, directory)
    secrets = _opened(options)
    before = secrets.own()

    def keep(after: dict[str, bytes]) -> None:
        if before and not after and not yes:
            agree_to(f"Nothing is left in the text. Delete {_all(before)} for good?")
        secrets.change(merged(before, after))

    if stdin:
        after = parsed(sys.stdin.buffer.read().decode("utf-8", "replace"), "standard input")
        keep(after)
    else:
        after = through_editor(write_entries(Entries(before)), keep)
    _tell_of_identity(secrets, options)
    print(f"Kept {_changed(before, after)} in {secrets.path}.", file=sys.stderr)
    return ExitCode.DONE


def _opened(options: Common) -> "SecretsFile":
    from freehold.system.secrets.store import SecretsFile

    if not options.directory.is_dir():
        raise UsageError(problems.no_folder(options.directory))
    return SecretsFile(options.directory)


def _estate(options: Common) -> "Infra":
    return estate.loaded(options)[0]


def _given(name: str) -> bytes:
    """What is typed twice, else all of standard input without the end of its only line."""
    if sys.stdin.isatty():
        first = getpass.getpass(f"Value of {name} (not shown): ", stream=sys.stderr)
        if getpass.getpass("Once more: ", stream=sys.stderr) != first:
            raise UsageError(problems.not_the_same(name))
        return first.encode("utf-8", "surrogateescape")
    given = sys.stdin.buffer.read()
    return given.rstrip(b"\r\n") if given.count(b"\n") <= 1 else given


def _all(secrets: dict[str, bytes]) -> str:
    from freehold.views.words import count

    return f"all {count(len(secrets), 'secret')}" if len(secrets) > 1 else next(iter(secrets))


def _changed(before: dict[str, bytes], after: dict[str, bytes]) -> str:
    from freehold.views.words import count

    new = len(after.keys() - before.keys())
    gone = len(before.keys() - after.keys())
    other = sum(before[name] != after[name] for name in before.keys() & after.keys())
    return f"{count(len(after), 'secret')} ({new} new, {other} changed, {gone} deleted)"


def _tell_of_identity(secrets: "SecretsFile", options: Common) -> None:
    from freehold.system.secrets.problems import identity_made

    if secrets.made is not None:
        estate.tell([identity_made(secrets.made.path, secrets.made.public or "")], options)
