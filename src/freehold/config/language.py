"""What may stand where in one sort of file: infra.yml (`fields.ESTATE`) or a descriptor of the catalog.

`load` and `catalog` give one to the Tree that they read; the messages about keys and values ask it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from freehold.config.part import Part
from freehold.config.places import KeyPath, PlacedList, PlacedMap

_MOST_HOMES = 3
_KEY = "[key]"  # what Pydantic adds where it is the key of a mapping that is wrong


@dataclass(frozen=True, slots=True)
class Language:
    """`document` is the description of the whole file, `page` the one that explains it to people.

    `later` are keys (by the place where they stand) that a later version will know; `homes` are places in words, where keys
    that stand at the wrong level are looked for.
    """

    document: type[Part]
    page: str
    later: Mapping[KeyPath, frozenset[str]] = field(default_factory=dict)
    homes: tuple[tuple[KeyPath, str], ...] = ()

    def fields_at(self, path: KeyPath) -> Mapping[str, FieldInfo]:
        """The keys that may stand in the mapping there; none where names are the user's."""
        kind: Any = self.document
        for key in path:
            kind = _step(kind, key)
        part = _part(kind)
        return (
            {info.alias or name: info for name, info in part.model_fields.items()} if part else {}
        )

    def home_of(self, key: str) -> str | None:
        """Where a key that stands at the wrong level belongs, if that is a few places only."""
        homes = [words for path, words in self.homes if key in self.fields_at(path)]
        if not 1 <= len(homes) <= _MOST_HOMES:
            return None
        *others, last = homes
        return f"{', '.join(others)} or {last}" if others else last


def data_path(root: PlacedMap, loc: tuple[str | int, ...]) -> KeyPath:
    """The key path of Pydantic's location, which may go on with names of its own types; a missing key stays."""
    path: list[str | int] = []
    node: Any = root
    for key in loc:
        if isinstance(node, PlacedMap) and isinstance(key, str) and key != _KEY:
            path.append(key)
            node = node.get(key)
        elif isinstance(node, PlacedList) and isinstance(key, int):
            path.append(key)
            node = node[key]
        else:
            break
    return tuple(path)


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
