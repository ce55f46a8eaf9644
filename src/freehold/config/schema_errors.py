"""Pydantic's errors in the user's words. Called by `validation`; no text of Pydantic's reaches the user."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from freehold.config.codes import MOST_PROBLEMS, problem
from freehold.config.language import data_path
from freehold.config.places import UNREADABLE, KeyPath, Tree
from freehold.config.wrong_types import (
    BOOLEAN,
    LIST,
    MAPPING,
    WHOLE_NUMBER,
    as_yaml,
    describe,
    missing_space,
    wrong_type,
)
from freehold.diagnostics import Diagnostic, Source, did_you_mean, nearest

_EXPECTED = {
    "string_type": "text",
    "int_type": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
    "bool_type": BOOLEAN,
    "list_type": LIST,
    "dict_type": MAPPING,
    "model_type": MAPPING,
    "model_attributes_type": MAPPING,
}


def schema_problems(tree: Tree, errors: list[Any]) -> Iterator[tuple[KeyPath, Diagnostic | None]]:
    """The place and the Diagnostic of each error; None when it has been reported while reading, or
    when there are more than can be shown.
    """
    made = 0
    for error in errors:
        path = data_path(tree.root, error["loc"])
        unknown = error["type"] == "extra_forbidden"
        reported = error["input"] is UNREADABLE and not (unknown and _is_one_word(path))
        if reported or made > MOST_PROBLEMS + 1:
            yield path, None
            continue
        made += 1
        yield path, _unknown_key(tree, path) if unknown else _value_problem(tree, path, error)


def _is_one_word(path: KeyPath) -> bool:
    """Whether the key is no `key:value` without a space, which has been reported as lacking a value."""
    return missing_space(str(path[-1])) is None


def _unknown_key(tree: Tree, path: KeyPath) -> Diagnostic:
    key = str(path[-1])
    parent = path[:-1]
    source = tree.source(path, key=True)
    place = ("domains", "*") if len(parent) == 2 and parent[0] == "domains" else parent
    if key in tree.language.later.get(place, ()):
        detail = (
            f"`{key}` belongs to a later version of Freehold; this one cannot do anything with it."
        )
        return problem("not-in-this-version", detail, source)
    where = f" in `{tree.text(parent)}`" if parent else " at the top of the file"
    return problem(
        "unknown-key", f"There is no key `{key}`{where}.", source, _key_hint(tree, key, parent)
    )


def _key_hint(tree: Tree, key: str, parent: KeyPath) -> str:
    language = tree.language
    valid = language.fields_at(parent)
    if hint := missing_space(key):
        return hint
    if nearest(key, valid) is None and (home := language.home_of(key)):
        return f"`{key}` belongs {home}."
    return did_you_mean(key, valid) or f"See {language.page}."


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
    where = f"`{tree.text(path[:-1])}` has" if len(path) > 1 else "The file has"
    info = tree.language.fields_at(path[:-1]).get(str(path[-1]))
    example = f"Add `{path[-1]}: {as_yaml(info.examples[0])}`." if info and info.examples else None
    source = tree.source(path[:-1], key=True) or (
        tree.files[0].source(1, 1) if tree.files else None
    )
    return problem("missing-key", f"{where} no `{path[-1]}`.", source, hint or example)


def _not_one_of(tree: Tree, path: KeyPath, value: Any, valid: list[str]) -> Diagnostic:
    words = ", ".join(f"`{word}`" for word in valid)
    if not isinstance(value, str):
        return wrong_type(tree, path, f"one of {words}", value)
    detail = f"`{tree.text(path)}` cannot be {describe(value).removeprefix('the text ')}; possible: {words}."
    return problem("invalid-value", detail, tree.source(path), did_you_mean(value, valid))


def _limits(
    kind: str, value: Any, context: Mapping[str, Any], source: Source | None
) -> tuple[str, Source | None, str | None]:
    if kind == "greater_than_equal":
        return f"{value} is less than {context['ge']}.", source, f"Write {context['ge']} or more."
    if kind == "less_than_equal":
        return f"{value} is more than {context['le']}.", source, f"Write {context['le']} or less."
    if kind == "too_short":
        return "The list is empty.", source, "Write at least one item, or leave the key out."
    return "The value cannot be used here.", source, None
