"""The command lines that Ansible writes, taken apart again: what is run, and whether it is Python fed with a module.

Called by the connection plugin. A line that does not look exactly as Ansible writes it is left to the shell.
"""

import re
import shlex
from dataclasses import dataclass, field

# Ansible appends this against a fault of ssh (plugins/action, _low_level_execute_command); it costs a process.
_AFTER = " && sleep 0"
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_INTERPRETER = re.compile(r"/[\w./+-]*python[\d.]*")


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `python`: the interpreter, when the command is nothing but this one with a program as its input."""

    words: tuple[str, ...]
    python: str | None = None
    environment: dict[str, str] = field(default_factory=dict)


def understand(line: str, executable: str, *, has_input: bool) -> Command:
    """The command of Ansible's `line`, which `executable` is to run."""
    inner = _unwrapped(line)
    if inner is None:
        return Command((executable, "-c", line))
    shell, script = inner[0], inner[1].removesuffix(_AFTER)
    words = (shell, "-c", script)
    python = _python(script) if has_input else None
    return Command(words) if python is None else Command(words, *python)


def _unwrapped(line: str) -> tuple[str, str] | None:
    """Shell and script of `/bin/sh -c 'script'`: a shell that only starts another one is left out."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    if len(words) != 3 or words[1] != "-c" or line != f"{words[0]} -c {shlex.quote(words[2])}":
        return None
    return (words[0], words[2]) if shlex.quote(words[0]) == words[0] else None


def _python(script: str) -> tuple[str, dict[str, str]] | None:
    """Interpreter and variables of `NAME=value … /usr/bin/python3`."""
    try:
        *assignments, python = shlex.split(script)
    except ValueError:
        return None
    found = [_ASSIGNMENT.fullmatch(word) for word in assignments]
    environment = {match[1]: match[2] for match in found if match is not None}
    written = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    if " ".join([*written, python]) != script.strip() or not _INTERPRETER.fullmatch(python):
        return None
    return python, environment
