"""Every `freehold …` and every option that a paper names exists."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.cli_reference import commands, options
from tests.docs.pages import ROOT, blocks, name, papers, prose

_FOR_USERS = [path for path in papers() if path.parent == ROOT or path.parent.name != "decisions"]
_CALL = re.compile(r"(?:^|[\s/`])freehold (.*)")
_INLINE = re.compile(r"`([^`]+)`")
_END = {"#", "|", ">", "&&", ";", "--", "…"}
_HELP = {"-h", "--help"}


def _calls(path: Path) -> Iterator[str]:
    """The words after `freehold` of each call, in blocks of commands and between backticks."""
    lines = [
        line
        for block in blocks(path)
        if block.language in {"sh", "console", "run"}
        for line in block.lines
        if block.language != "console" or line.startswith("$ ")
    ]
    lines += [found[1] for line in prose(path) for found in _INLINE.finditer(line)]
    for line in lines:
        for part in line.split("&&"):
            if found := _CALL.search(part):
                yield found[1]


def _problem(call: str) -> str | None:
    """What is wrong with a call; a word in capitals stands for any."""
    verb, known = "", options(commands()[""]) | _HELP
    for word in shlex.split(call, comments=True):
        if word in _END:
            break
        if word.startswith("-"):
            option = word.partition("=")[0]
            if option not in known:
                return f"`freehold {verb}` has no option {option}"
        elif f"{verb} {word}".strip() in commands():
            verb = f"{verb} {word}".strip()
            known |= options(commands()[verb])
        elif not verb and not _is_value(call, word):
            return f"there is no verb {word}"
    return None


def _is_value(call: str, word: str) -> bool:
    """Whether the word belongs to `-C` before the verb, or is a placeholder."""
    return word.isupper() or f"-C {word}" in call


@pytest.mark.parametrize("path", _FOR_USERS, ids=name)
def test_every_command_exists_with_its_options(path: Path) -> None:
    problems = {call: problem for call in _calls(path) if (problem := _problem(call))}
    assert not problems


@cache
def _all_options() -> set[str]:
    return set().union(*(options(command) for command in commands().values())) | _HELP


_GUIDES = [path for path in _FOR_USERS if path.parent != ROOT or path.name.startswith("README")]


@pytest.mark.parametrize("path", _GUIDES, ids=name)
def test_every_option_between_backticks_exists(path: Path) -> None:
    named = [word[1].split()[0] for line in prose(path) for word in _INLINE.finditer(line)]
    unknown = {word for word in named if re.match(r"--?[a-zA-Z]", word)} - _all_options()
    assert not unknown


def test_a_wrong_command_is_found() -> None:
    assert _problem("--lab plan --prune") is None
    assert _problem("-C DIR lab run -- incus list --all-projects") is None
    assert _problem("plan --confirm x") == "`freehold plan` has no option --confirm"
    assert _problem("paln") == "there is no verb paln"
