"""The tree against its language: everything wrong with single keys and values, and a document of all that is right.

Called by `load` with infra.yml and by `catalog` with a descriptor. Where something is wrong, the smallest part around it is left out and the rest is validated
again, so that the cross-checks see as much as possible and all problems come at once.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from freehold.config.part import Part
from freehold.config.places import KeyPath, PlacedList, PlacedMap, Tree
from freehold.config.schema_errors import schema_problems
from freehold.diagnostics import Diagnostic

Kind = TypeVar("Kind", bound=Part)

_MOST_ROUNDS = 6  # each round takes out one level; the language is not deeper


@dataclass(frozen=True, slots=True)
class Validated(Generic[Kind]):
    """`document` is None where nothing is right enough for one. `policies` are the indexes (in the tree) of the document's policies: wrong ones are left out of it."""

    document: Kind | None
    policies: tuple[int, ...]
    problems: tuple[Diagnostic, ...]


def validate(tree: Tree, kind: type[Kind]) -> Validated[Kind]:
    """Validate the whole tree as a `kind`, which is the tree's language."""
    written = tree.get(("policies",))
    policies = tuple(range(len(written))) if isinstance(written, PlacedList) else ()
    try:
        return Validated(kind.model_validate(tree.root), policies, ())
    except ValidationError as error:
        return _without_wrong_parts(tree, kind, error, policies)


def _without_wrong_parts(
    tree: Tree, kind: type[Kind], error: ValidationError, policies: tuple[int, ...]
) -> Validated[Kind]:
    found = list(schema_problems(tree, error.errors(include_url=False)))
    problems = _once_per_place(found)
    left_out = {_smallest_part(path, missing=_is_missing(tree, path)) for path, _ in found}
    for _ in range(_MOST_ROUNDS):
        kept = tuple(i for i in policies if ("policies", i) not in left_out)
        try:
            document = kind.model_validate(_without(tree.root, left_out))
        except ValidationError as again:
            more = _original_paths(again, tree, kept)
            left_out |= {_smallest_part(path, missing=_is_missing(tree, path)) for path in more}
        else:
            return Validated(document, kept, problems)
    return Validated(None, (), problems)


def _once_per_place(found: list[tuple[KeyPath, Diagnostic | None]]) -> tuple[Diagnostic, ...]:
    first: dict[KeyPath, Diagnostic] = {}
    for path, diagnostic in found:
        if diagnostic is not None:
            first.setdefault(path, diagnostic)
    return tuple(first.values())


def _is_missing(tree: Tree, path: KeyPath) -> bool:
    return bool(path) and isinstance(path[-1], str) and not tree.has(path)


def _smallest_part(path: KeyPath, *, missing: bool) -> KeyPath:
    """What to leave out: a policy as a whole, a list as a whole, otherwise the key."""
    if path[:1] == ("policies",) and len(path) > 1:
        return path[:2]
    if missing:
        path = path[:-1]
    for length, key in enumerate(path):
        if isinstance(key, int):
            return path[:length]
    return path


def _original_paths(error: ValidationError, tree: Tree, kept: tuple[int, ...]) -> list[KeyPath]:
    """Paths of a later round in the whole tree: left-out parts are gone from it, policies have moved up."""
    paths = []
    for found in error.errors(include_url=False):
        loc = tuple(found["loc"])
        if loc[:1] == ("policies",) and len(loc) > 1 and isinstance(loc[1], int):
            loc = ("policies", kept[loc[1]], *loc[2:])
        missing = found["type"] == "missing"
        paths.append(loc[:-1] if missing else loc)
    return paths


def _without(node: Any, left_out: set[KeyPath], path: KeyPath = ()) -> Any:
    """A copy as plain containers that lacks the parts named; untouched branches are shared."""
    if path in left_out:
        return type(node)() if isinstance(node, PlacedMap | PlacedList) else None
    below = {p for p in left_out if p[: len(path)] == path}
    if not below:
        return node
    depth = len(path)
    heads = {p[depth] for p in below}
    groups: dict[str | int, set[KeyPath]] = {head: set() for head in heads}
    for p in below:
        groups[p[depth]].add(p)
    if isinstance(node, PlacedMap):
        return {
            key: _without(value, groups.get(key, set()), (*path, key))
            for key, value in node.items()
            if (*path, key) not in left_out
        }
    if isinstance(node, PlacedList):
        return [
            _without(value, groups.get(index, set()), (*path, index))
            for index, value in enumerate(node)
            if (*path, index) not in left_out
        ]
    return node
