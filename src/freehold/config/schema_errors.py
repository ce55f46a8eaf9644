"""Pydantic's errors in the user's words. Called by `validation`; no text of Pydantic's reaches the user."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from freehold.config.codes import problem
from freehold.config.document import Document, Part
from freehold.config.places import UNREADABLE, KeyPath, PlacedList, PlacedMap, Tree, path_text
from freehold.diagnostics import Diagnostic, did_you_mean, nearest

LATER_KEYS: dict[KeyPath, frozenset[str]] = {
    (): frozenset({"hosts", "services", "clusters", "scenarios", "backups", "alerts", "snapshots"}),
    ("domains", "*"): frozenset({"on"}),
}
"""Keys of the language (by the place where they stand) that a later version will know."""

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
}
_MISSING_SPACE = re.compile(r"[a-z_]+:[^ /]\S*")


def schema_problems(tree: Tree, errors: list[Any]) -> Iterator[tuple[KeyPath, Diagnostic | None]]:
    """The place and the Diagnostic of each error; None when it has been reported while reading."""
    for error in errors:
        path = data_path(tree.root, error["loc"])
        unknown = error["type"] == "extra_forbidden"
        if error["input"] is UNREADABLE and not (unknown and _is_one_word(path)):
            yield path, None
        elif unknown:
            yield path, _unknown_key(tree, path)
        else:
            yield path, _value_problem(tree, path, error)


def _is_one_word(path: KeyPath) -> bool:
    """Whether the key is no `key:value` without a space, which has been reported as lacking a value."""
    return _MISSING_SPACE.fullmatch(str(path[-1])) is None


def data_path(root: PlacedMap, loc: tuple[str | int, ...]) -> KeyPath:
    """The key path of Pydantic's location, which may go on with names of its own types; a missing key stays."""
    path: list[str | int] = []
    node: Any = root
    for key in loc:
        if isinstance(node, PlacedMap) and isinstance(key, str):
            path.append(key)
            node = node.get(key)
        elif isinstance(node, PlacedList) and isinstance(key, int):
            path.append(key)
            node = node[key]
        else:
            break
    return tuple(path)


def fields_at(path: KeyPath) -> Mapping[str, FieldInfo]:
    """The keys that may stand in the mapping there; none where names are the user's."""
    kind: Any = Document
    for key in path:
        kind = _step(kind, key)
    part = _part(kind)
    return {info.alias or name: info for name, info in part.model_fields.items()} if part else {}


def _step(kind: Any, key: str | int) -> Any:
    part = _part(kind)
    if part is not None:
        info = next((i for n, i in part.model_fields.items() if (i.alias or n) == key), None)
        return info.annotation if info else None
    arguments = get_args(kind)
    if get_origin(kind) in (dict, list):
        return arguments[-1]
    return next((_step(a, key) for a in arguments if a is not type(None)), None)


def _part(kind: Any) -> type[Part] | None:
    if isinstance(kind, type) and get_origin(kind) is None:
        return kind if issubclass(kind, Part) else None
    if get_origin(kind) in (dict, list):
        return None
    return next((part for a in get_args(kind) if (part := _part(a))), None)


def _unknown_key(tree: Tree, path: KeyPath) -> Diagnostic:
    key = str(path[-1])
    parent = path[:-1]
    source = tree.source(path, key=True)
    place = ("domains", "*") if len(parent) == 2 and parent[0] == "domains" else parent
    if key in LATER_KEYS.get(place, ()):
        detail = (
            f"`{key}` belongs to a later version of Freehold; this one cannot do anything with it."
        )
        return problem("not-in-this-version", detail, source)
    where = f" in `{path_text(parent)}`" if parent else " at the top of the file"
    return problem(
        "unknown-key", f"There is no key `{key}`{where}.", source, _key_hint(key, parent)
    )


def _key_hint(key: str, parent: KeyPath) -> str | None:
    valid = fields_at(parent)
    if _MISSING_SPACE.fullmatch(key):
        return f"A space is missing after the colon: `{key.replace(':', ': ', 1)}`."
    if nearest(key, valid) is None and (home := _home(key)):
        return f"`{key}` belongs {home}."
    return did_you_mean(key, valid)


_HOMES = (
    ((), "at the top of the file"),
    (("domains", "*"), "directly in a domain"),
    (("domains", "*", "machines", "*"), "in a machine"),
    (("domains", "*", "machines", "*", "provision"), "in a machine's `provision`"),
    (("domains", "*", "profiles", "*"), "in a profile"),
    (("defaults",), "in `defaults`"),
    (("network",), "in `network`"),
    (("policies", 0), "in a policy"),
)  # fmt: skip


def _home(key: str) -> str | None:
    """Where a key that stands at the wrong level belongs, if that is one place only."""
    homes = [words for path, words in _HOMES if key in fields_at(path)]
    return homes[0] if len(homes) == 1 else None


def _value_problem(tree: Tree, path: KeyPath, error: Any) -> Diagnostic:
    kind, value = error["type"], error["input"]
    context = error.get("ctx") or {}
    if kind == "missing":
        return missing_key(tree, path)
    source = tree.source(path)
    if kind in _EXPECTED or kind == "wrong-type":
        expected = _EXPECTED.get(kind) or str(context["detail"])
        return wrong_type(tree, path, expected, value, context.get("hint"))
    if "detail" in context:
        return problem(kind, str(context["detail"]), source, context.get("hint"))
    if kind == "enum":
        return _not_one_of(tree, path, value, re.findall(r"'([^']*)'", context["expected"]))
    return problem("invalid-value", *_limits(kind, value, context, source))


def missing_key(tree: Tree, path: KeyPath, hint: str | None = None) -> Diagnostic:
    """`path` ends with the key that is not there; the place is its parent's."""
    where = f"`{path_text(path[:-1])}` has" if len(path) > 1 else "The file has"
    info = fields_at(path[:-1]).get(str(path[-1]))
    example = f"Add `{path[-1]}: {_as_yaml(info.examples[0])}`." if info and info.examples else None
    source = tree.source(path[:-1], key=True) or (
        tree.files[0].source(1, 1) if tree.files else None
    )
    return problem("missing-key", f"{where} no `{path[-1]}`.", source, hint or example)


def wrong_type(
    tree: Tree, path: KeyPath, expected: str, value: Any, hint: str | None = None
) -> Diagnostic:
    """A value of the wrong kind, with what to write instead where that can be said."""
    detail = (
        f"`{path_text(path)}` must be {expected}, not {describe(value)}."
        if path
        else f"Expected {expected}."
    )
    return problem(
        "wrong-type", detail, tree.source(path), hint or _type_hint(tree, path, expected, value)
    )


def describe(value: Any) -> str:
    """A value of the file in words."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"the number `{value}`"
    if isinstance(value, str):
        short = value if len(value) <= 40 else value[:37] + "…"
        return f"the text `{short}`" if value else "an empty text"
    if value is None:
        return "nothing"
    return "a list" if isinstance(value, list) else "keys with values"


def _type_hint(tree: Tree, path: KeyPath, expected: str, value: Any) -> str | None:
    written = _written(tree, path)
    if (
        isinstance(value, str)
        and expected == "keys with values"
        and _MISSING_SPACE.fullmatch(value)
    ):
        return f"A space is missing after the colon: `{value.replace(':', ': ', 1)}`."
    if expected == "a list" and isinstance(value, str | int | float):
        return f"Write it as a list: `[{written}]`."
    if (
        isinstance(value, str)
        and expected == "`true` or `false`"
        and value.lower() in {"true", "false"}
    ):
        return f"Write `{value.lower()}` without quotes."
    if (
        isinstance(value, str)
        and expected == "a whole number"
        and re.fullmatch(r"[0-9]{1,9}", value)
    ):
        return f"Write `{int(value)}` without quotes."
    if (
        expected == "a size such as `8GiB`"
        and isinstance(value, int)
        and not isinstance(value, bool)
    ):
        return f"Add the unit: `{value}MiB`, `{value}GiB`."
    if expected.startswith("text") and isinstance(value, bool | int | float):
        return f'Put it in quotes: `"{written}"`.'
    return _example_hint(path, expected)


def _example_hint(path: KeyPath, expected: str) -> str | None:
    if expected == "keys with values":
        return "Write its keys indented on the lines below it, or `{}` for none."
    key = path[-1] if path else ""
    info = fields_at(path[:-1]).get(str(key))
    if info is not None and info.examples and not isinstance(info.examples[0], list | dict):
        return f"Write for example `{key}: {_as_yaml(info.examples[0])}`."
    return None


def _as_yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(tree: Tree, path: KeyPath) -> str:
    """A scalar as it stands in the file: a number's own spelling (`1.10`) is lost in its value."""
    source = tree.source(path)
    if source is None or source.text is None:
        return ""
    match = re.match(r"\"[^\"]*\"|'[^']*'|[^\s,\]}#]+", source.text[source.column - 1 :])
    return match[0] if match else ""


def _not_one_of(tree: Tree, path: KeyPath, value: Any, valid: list[str]) -> Diagnostic:
    words = ", ".join(f"`{word}`" for word in valid)
    if not isinstance(value, str):
        return wrong_type(tree, path, f"one of {words}", value)
    detail = f"`{path_text(path)}` cannot be {describe(value).removeprefix('the text ')}; possible: {words}."
    return problem("invalid-value", detail, tree.source(path), did_you_mean(value, valid))


def _limits(
    kind: str, value: Any, context: Mapping[str, Any], source: Any
) -> tuple[str, Any, str | None]:
    if kind == "greater_than_equal":
        return f"{value} is less than {context['ge']}.", source, f"Write {context['ge']} or more."
    if kind == "less_than_equal":
        return f"{value} is more than {context['le']}.", source, f"Write {context['le']} or less."
    if kind == "too_short":
        return "The list is empty.", source, "Write at least one item, or leave the key out."
    return "The value cannot be used here.", source, None
