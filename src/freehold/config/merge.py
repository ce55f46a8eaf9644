"""Joins infra.yml and the files of `infra.d/` into one Tree. Called by `load` once every file has been read."""

from freehold.config.codes import problem
from freehold.config.places import Place, PlacedList, PlacedMap, Tree
from freehold.diagnostics import Diagnostic, Source

_JOINED_MAPS = frozenset({"domains", "hosts", "services"})
_JOINED_LISTS = frozenset({"policies"})


def merge(tree: Tree, roots: list[PlacedMap]) -> list[Diagnostic]:
    """Put the files' top-level keys into the tree; what two files define stays as the first one has it."""
    problems: list[Diagnostic] = []
    for root in roots:
        for key, value in root.items():
            problems += _add(tree, key, value, root.places[key])
        tree.root.mark_ambiguous(root.ambiguous or set())
    return problems


def _add(tree: Tree, key: str, value: object, place: Place) -> list[Diagnostic]:
    present = tree.root.get(key)
    if key not in tree.root:
        tree.root[key] = _own_copy(value) if key in _JOINED_MAPS | _JOINED_LISTS else value
        tree.root.places[key] = place
        return []
    if key in _JOINED_MAPS and isinstance(present, PlacedMap) and isinstance(value, PlacedMap):
        return _join_maps(tree, key, present, value)
    if key in _JOINED_LISTS and isinstance(present, PlacedList) and isinstance(value, PlacedList):
        tree.list_starts[key, place[0]] = len(present)
        present += value
        present.places += value.places
        return []
    return [_twice(tree, key, key, tree.root.places[key], place)]


def _own_copy(value: object) -> object:
    """A container of the tree's own, so that joining does not change the first file's."""
    if isinstance(value, PlacedMap):
        copy = PlacedMap()
        copy.update(value)
        copy.places.update(value.places)
        copy.mark_ambiguous(value.ambiguous or set())
        return copy
    if isinstance(value, PlacedList):
        items = PlacedList()
        items += value
        items.places += value.places
        return items
    return value


def _join_maps(tree: Tree, key: str, present: PlacedMap, more: PlacedMap) -> list[Diagnostic]:
    problems = []
    for name, value in more.items():
        if name in present:
            path = f"{key}.{name}"
            problems.append(_twice(tree, name, path, present.places[name], more.places[name]))
        else:
            present[name] = value
            present.places[name] = more.places[name]
    present.mark_ambiguous(more.ambiguous or set())
    return problems


def _twice(tree: Tree, name: str, path: str, first: Place, second: Place) -> Diagnostic:
    file = tree.files[second[0]]
    line, column = second[1], second[2]
    text = file.lines[line - 1]
    there = f"{tree.files[first[0]].name}:{first[1]}"
    detail = f"`{name}` is defined in {there} already."
    hint = f"Keep one of them: {there} or {file.name}:{line}."
    return problem("defined-twice", detail, Source(file.name, line, column, path, text), hint)
