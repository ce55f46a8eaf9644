"""docs/reference/cli.md, made from the command line itself.

After a change of a verb or an option: `python -m tests.docs.cli_reference`.
"""

from collections.abc import Iterator
from typing import Any

import typer
import typer.main

from freehold.cli import main as command_line
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "reference" / "cli.md"
_HEAD = """# Commands

This page is made from the command line itself: `python -m tests.docs.cli_reference`; a test keeps the two equal. `freehold
VERB --help` shows the same.

`-C`, `--lab` and `--json` may stand before the verb or after it. Data goes to standard output; progress, questions and problems
go to standard error. What `--json` prints is described in [JSON](json.md), how a command ends in
[exit codes](exit-codes.md). Without a terminal nobody is asked: whatever asks a question needs `--yes`, and whatever loses data
`--confirm NAME` too.

Variables: `FREEHOLD_LAB` (the lab's folder), `FREEHOLD_CACHE` (the folder of its images), `INCUS_SOCKET` or `INCUS_DIR` (another
Incus on this computer), `FREEHOLD_TIMER_SECONDS` (how often the lab's timer looks; an hour when not said), `NO_COLOR`, `FORCE_COLOR`,
`COLUMNS`.
"""


def commands() -> dict[str, Any]:
    """Every verb by what is typed (`plan`, `lab start`), and the program itself by an empty name."""
    if not command_line.app.registered_commands:
        command_line._register()
    return dict(_walk("", typer.main.get_command(command_line.app)))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for verb, below in getattr(command, "commands", {}).items():
        yield from _walk(f"{name} {verb}".strip(), below)


def options(command: Any) -> set[str]:
    """Every spelling of every option of a command."""
    return {
        spelling for one in command.params for spelling in _spellings(one) if spelling[0] == "-"
    }


def _spellings(one: Any) -> list[str]:
    """As what an option may be typed; one that can be turned off has a second word for that."""
    return [*one.opts, *one.secondary_opts]


def page() -> str:
    """The whole page."""
    sections = [_section(name, command) for name, command in commands().items()]
    return "\n".join([_HEAD, *sections])


def _section(name: str, command: Any) -> str:
    title = f"freehold {name}".strip()
    shown = [one for one in command.params if not one.hidden]
    usage = " ".join([title, *_usage(command, shown)])
    lines = [f"## `{title}`", "", command.help.strip(), "", "```text", usage, "```", ""]
    if shown:
        lines += ["| Option | Meaning |", "|---|---|", *(_row(one) for one in shown), ""]
    return "\n".join(lines)


def _usage(command: Any, shown: list[Any]) -> Iterator[str]:
    if any(one.opts[0].startswith("-") for one in shown):
        yield "[OPTIONS]"
    if getattr(command, "commands", None):
        yield "VERB …"
    yield from (_metavar(one) for one in shown if not one.opts[0].startswith("-"))


def _row(one: Any) -> str:
    if one.opts[0].startswith("-"):
        value = "" if one.is_flag or one.opts[0] in _FLAGS else f" {_metavar(one)}"
        spelled = ", ".join(f"`{spelling}{value}`" for spelling in _spellings(one))
    else:
        spelled = f"`{_metavar(one)}`"
    text = f"{one.help}{_default(one)}".replace("|", "\\|")
    return f"| {spelled} | {text} |"


_FLAGS = {
    "--install-completion",
    "--show-completion",
}  # typer makes them, and takes an optional shell


def _metavar(one: Any) -> str:
    if one.metavar:
        return str(one.metavar)
    values = getattr(one.type_descriptor.annotation, "__members__", {})
    return "\\|".join(member.value for member in values.values()) or one.name.upper()


def _default(one: Any) -> str:
    """The default that the help shows: said in words, or a value of its own."""
    if isinstance(one.show_default, str):
        return f" Default: `{one.show_default}`."
    if one.default in (None, False) or not one.show_default or one.required:
        return ""
    return f" Default: `{one.default}`."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
