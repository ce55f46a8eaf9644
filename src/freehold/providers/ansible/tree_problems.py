"""What is wrong with files of the Ansible tree, in words. Called by `tree_look` and `files`."""

import configparser
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from freehold.diagnostics import Diagnostic, Severity, Source
from freehold.providers.ansible.managed import BEGIN, END, SHORT_BEGIN, DamagedMarks, Marked

_KEY = re.compile(r"""(?P<quote>["']?)(?P<name>[A-Za-z_]\w*)(?P=quote)[ \t]*:(?:[ \t]|$)""")


def damaged(path: Path, problem: DamagedMarks) -> Diagnostic:
    """Marks that do not enclose one part: what is whose cannot be told, so nothing is written."""
    return Diagnostic(
        code="damaged-mark",
        summary="The marks of Freehold's part are damaged",
        detail=f"{problem} Nothing was changed.",
        source=Source(str(path), problem.line, 1, text=problem.text),
        hint=f"Around Freehold's part, and nowhere else, each on a line of its own:\n    {BEGIN}\n    {END}",
    )


def unusable(path: Path, words: str) -> Diagnostic:
    """Something else than a text file that can be read stands where the tree has one."""
    return Diagnostic(
        code="unusable-file",
        summary="A file of the Ansible tree cannot be worked with",
        detail=f"`{path}` {words}. Nothing was changed.",
        source=Source(str(path), 1, 1),
        hint=f"Move it away:\n    mv {_typed(path)} {_typed(path)}.old",
    )


def read_only(path: Path, words: str) -> Diagnostic:
    """A file that is to change and may not be written."""
    return Diagnostic(
        code="cannot-write",
        summary="A file cannot be written",
        detail=f"{words}, and {path} is to be changed.",
        source=Source(str(path), 1, 1),
        hint=f"Allow it, then try again:\n    chmod u+w {_typed(path)}",
    )


def unwritable(path: Path, error: OSError) -> Diagnostic:
    """Writing failed; what was there is there still."""
    return Diagnostic(
        code="cannot-write",
        summary="A file cannot be written",
        detail=f"{path}: {error.strerror or error}. It is as it was before.",
        hint="Free some space, or allow writing there, then run the same command again.",
    )


def hidden(path: Path, by: Path) -> Diagnostic:
    """Ansible reads the first of NAME, NAME.yml, NAME.yaml and no other (DataLoader.find_vars_files)."""
    home = _typed(by.parent.parent / "inventory" / by.parent.name)
    return Diagnostic(
        code="variables-hidden",
        summary="Ansible would not read Freehold's variables",
        detail=f"Where there is `{by}`, Ansible reads that and not `{path}`.",
        source=Source(str(by), 1, 1),
        hint="Move it to where Ansible reads it as well:\n"
        f"    mkdir -p {home} && mv {_typed(by)} {home}/",
    )


def adopt(path: Path) -> str:
    """The command that gives Freehold a part of an existing file."""
    return f"printf '\\n%s\\n%s\\n' '{SHORT_BEGIN}' '{END}' >> {_typed(path)}"


def delete_by_hand(path: Path) -> str:
    """The command for a file that is not deleted because of what the user wrote into it."""
    return f"rm {_typed(path)}    # it holds lines of your own"


def set_twice(path: Path, marked: Marked) -> Iterator[Diagnostic]:
    """What both Freehold's part and the user's set. Of two equal keys Ansible's YAML takes the last; its INI refuses them."""
    if path.suffix == ".cfg":
        yield from _settings_twice(path, marked)
        return
    ours = {found["name"] for line in marked.part.splitlines() if (found := _KEY.match(line))}
    for number, line in marked.user_lines():
        if (found := _KEY.match(line)) and found["name"] in ours:
            wins = "your line" if number > marked.last_line else "Freehold's"
            yield Diagnostic(
                severity=Severity.WARNING,
                code="set-twice",
                summary="Freehold's part of the file sets this too",
                detail=f"Ansible takes the last one of two `{found['name']}`: {wins}.",
                source=Source(str(path), number, 1, found["name"]),
                hint="Keep one: remove this line, or set the value in infra.yml.",
            )


def _settings_twice(path: Path, marked: Marked) -> Iterator[Diagnostic]:
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    try:
        parser.read_string(marked.before + marked.part + marked.after)
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as error:
        option = getattr(error, "option", None)
        what = f"`{option}`" if option else f"`[{error.section}]`"
        yield Diagnostic(
            code="set-twice",
            summary="Freehold's part of the file sets this too",
            detail=f"{what} stands twice, and Ansible refuses such a file.",
            source=Source(str(path), error.lineno or 1, 1),
            hint="Remove one of them; settings of `[defaults]` go directly below Freehold's part.",
        )
    except configparser.Error:
        return  # Ansible will say so, and where


def _typed(path: Path) -> str:
    """A path as it is typed into a shell."""
    return shlex.quote(str(path))
