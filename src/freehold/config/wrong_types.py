"""Messages about values of the wrong kind: what is expected, what is there, what to write instead.

Called by `schema_errors`.
"""

import re
from typing import Any

from freehold.config.codes import problem
from freehold.config.places import KeyPath, Tree
from freehold.config.scalars import resolve
from freehold.diagnostics import Diagnostic

MAPPING = "keys with values"
LIST = "a list"
WHOLE_NUMBER = "a whole number"
BOOLEAN = "`true` or `false`"

_MISSING_SPACE = re.compile(r"[a-z_]+:[^ /]\S*")


def missing_space(text: str) -> str | None:
    """What to do about `key:value`, which YAML reads as one word; None for anything else."""
    if _MISSING_SPACE.fullmatch(text) is None:
        return None
    return f"A space is missing after the colon: `{text.replace(':', ': ', 1)}`."


def wrong_type(
    tree: Tree, path: KeyPath, expected: str, value: Any, hint: str | None = None
) -> Diagnostic:
    """A value of the wrong kind, with what to write instead where that can be said."""
    detail = f"`{tree.text(path)}` must be {expected}, not {describe(value)}."
    hint = hint or _hint(tree, path, expected, value)
    return problem("wrong-type", detail, tree.source(path), hint)


def describe(value: Any) -> str:
    """A value of the file in words."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"the number `{value}`"
    if isinstance(value, str):
        short = value if len(value) <= 40 else value[:37] + "…"
        return f"the text `{short}`" if value else "an empty text"
    return LIST if isinstance(value, list) else MAPPING


def as_yaml(value: Any) -> str:
    """A scalar as it is written in YAML."""
    if isinstance(value, str) and not isinstance(resolve(value), str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _hint(tree: Tree, path: KeyPath, expected: str, value: Any) -> str | None:
    written = _written(tree, path)
    if isinstance(value, str):
        return _hint_for_text(tree, path, expected, value, written)
    if isinstance(value, bool | int | float) and expected.startswith("text"):
        return f'Put it in quotes: `"{written}"`.'
    if isinstance(value, int | float) and expected == LIST:
        return f"Write it as a list: `[{written}]`."
    if type(value) is int and expected.startswith("a size"):
        return f"Add the unit: `{value}MiB`, `{value}GiB`."
    if type(value) is int and expected.startswith("a time"):
        return f"Add the unit: `{value}s`, `{value}m`."
    return _example(tree, path, expected)


def _hint_for_text(
    tree: Tree, path: KeyPath, expected: str, value: str, written: str
) -> str | None:
    if expected == MAPPING and (hint := missing_space(value)):
        return hint
    if expected == LIST:
        return f"Write it as a list: `[{written}]`."
    if expected == BOOLEAN and value.lower() in {"true", "false"}:
        return f"Write `{value.lower()}` without quotes."
    if expected == WHOLE_NUMBER and re.fullmatch(r"[0-9]{1,9}", value):
        return f"Write `{int(value)}` without quotes."
    return _example(tree, path, expected)


def _example(tree: Tree, path: KeyPath, expected: str) -> str | None:
    if expected == MAPPING:
        return "Write its keys indented on the lines below it, or `{}` for none."
    key = str(path[-1]) if path else ""
    info = tree.language.fields_at(path[:-1]).get(key)
    if info is not None and info.examples and not isinstance(info.examples[0], list | dict):
        return f"Write for example `{key}: {as_yaml(info.examples[0])}`."
    return None


def _written(tree: Tree, path: KeyPath) -> str:
    """A scalar as it stands in the file: a number's own spelling (`1.10`) is lost in its value."""
    source = tree.source(path)
    if source is None or source.text is None:
        return ""
    match = re.match(r"\"[^\"]*\"|'[^']*'|[^\s,\]}#]+", source.text[source.column - 1 :])
    return match[0] if match else ""
