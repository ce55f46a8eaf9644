"""Which keys may stand where, read from `document`. Asked by the messages about keys and values."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from freehold.config.document import Document
from freehold.config.part import Part
from freehold.config.places import KeyPath, PlacedList, PlacedMap

LATER_KEYS: dict[KeyPath, frozenset[str]] = {
    (): frozenset({"hosts", "services", "clusters", "scenarios", "backups", "alerts"}),
    ("domains", "*"): frozenset({"on"}),
}
"""Keys of the language (by the place where they stand) that a later version will know."""


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


_HOMES = (
    ((), "at the top of the file"),
    (("domains", "*"), "directly in a domain"),
    (("domains", "*", "machines", "*"), "in a machine"),
    (("domains", "*", "machines", "*", "provision"), "in `provision`"),
    (("domains", "*", "profiles", "*"), "in a profile"),
    (("defaults",), "in `defaults`"),
    (("network",), "in `network`"),
    (("snapshots",), "in `snapshots`"),
    (("snapshots", "keep"), "in `keep` of `snapshots`"),
    (("policies", 0), "in a policy"),
)  # fmt: skip


_MOST_HOMES = 3


def home_of(key: str) -> str | None:
    """Where a key that stands at the wrong level belongs, if that is a few places only."""
    homes = [words for path, words in _HOMES if key in fields_at(path)]
    if not 1 <= len(homes) <= _MOST_HOMES:
        return None
    *others, last = homes
    return f"{', '.join(others)} or {last}" if others else last
