"""Where everything in infra.yml is written: containers that remember places, and the tree of all files together.

`yaml_reader` fills the containers, `merge` joins the files into one `Tree`, every check asks it for a `Source`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freehold.diagnostics import Source

if TYPE_CHECKING:
    from freehold.config.language import Language

KeyPath = tuple[str | int, ...]
"""The keys and list indexes that lead to a value: `("domains", "homelab", "subnet_id")`."""

Place = tuple[int, int, int, int, int]
"""Number of the file, line and column of the key, line and column of the value; lines and columns count from 1.

In a list the key's line and column are the value's own.
"""


class PlacedMap(dict[str, Any]):
    """A mapping of a file. `ambiguous` holds the keys that are unquoted words other than text to some parser."""

    __slots__ = ("ambiguous", "places")

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, Place] = {}
        self.ambiguous: set[str] | None = None

    def mark_ambiguous(self, keys: set[str]) -> None:
        """Add to `ambiguous`, which is made only when needed: most mappings have none."""
        if self.ambiguous is None:
            self.ambiguous = set()
        self.ambiguous |= keys

    def is_ambiguous(self, key: str) -> bool:
        """Whether this key was written without the quotes that it needs."""
        return self.ambiguous is not None and key in self.ambiguous


class PlacedList(list[Any]):
    """A list of a file."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: list[Place] = []


class Unreadable:
    """Stands where a value was refused while reading, so that no later check complains about it again."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(unreadable)"


UNREADABLE = Unreadable()

_LONGEST_SHOWN = 500  # characters; a longer line helps nobody in a message

_SECRET = re.compile(r"(?<=://)[^/\s@]+(?=@)")
"""What a URL holds before its `@`: not to be shown, as long as it was."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file's name as shown to the user, and its lines."""

    name: str
    lines: tuple[str, ...] = ()

    def source(self, line: int, column: int, path: KeyPath = ()) -> Source:
        """The place in this file; lines and columns count from 1."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else None
        if text is not None and len(text) > _LONGEST_SHOWN:
            text = None
        elif text is not None:
            text = _SECRET.sub(lambda found: "*" * len(found[0]), text)
        return Source(self.name, line, column, path_text(path), text)


def path_text(path: KeyPath) -> str:
    """A key path as messages and the JSON contract show it: `policies[0].ports[1]`, `config["limits.memory"]`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif not key or any(sign in key for sign in '.[]" \n'):
            text += f"[{_quoted(key)}]"
        else:
            text += f".{key}" if text else key
    return text


def _quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@dataclass(slots=True)
class Tree:
    """All files as one mapping. `list_starts` says from which index on a file's items stand in a joined list.

    `language` says what may stand where.
    """

    root: PlacedMap = field(default_factory=PlacedMap)
    files: list[SourceFile] = field(default_factory=list)
    list_starts: dict[tuple[str, int], int] = field(default_factory=dict)
    language: "Language" = field(kw_only=True)

    def get(self, path: KeyPath) -> Any:
        """The value there, None when nothing is written there."""
        node: Any = self.root
        for key in path:
            node = _child(node, key)
        return node

    def has(self, path: KeyPath) -> bool:
        """Whether the last key of the path is written, with whatever value."""
        parent = self.get(path[:-1])
        return isinstance(parent, PlacedMap) and path[-1] in parent

    def names(self, path: KeyPath) -> tuple[str, ...]:
        """The keys of the mapping there, in the order written; none when it is no mapping."""
        node = self.get(path)
        return tuple(node) if isinstance(node, PlacedMap) else ()

    def source(self, path: KeyPath, *, key: bool = False) -> Source | None:
        """Where the value (or, with `key`, its key) is written, else the nearest enclosing thing that is.

        A mapping or a list is shown at its key. None when not even the first key of the path is written.
        """
        found = tuple(self._places(path))
        if not found:
            return None
        place = found[-1]
        whole = len(found) == len(path)
        at_key = key or not whole or isinstance(self.get(path), PlacedMap | PlacedList)
        line, column = place[1:3] if at_key else place[3:5]
        return self.files[place[0]].source(line, column, self._local(path, place[0]))

    def text(self, path: KeyPath) -> str:
        """The key path as shown, with indexes as in the file that it is written in."""
        source = self.source(path)
        return source.path if source else path_text(path)

    def _places(self, path: KeyPath) -> Iterator[Place]:
        node: Any = self.root
        for key in path:
            place = _place(node, key)
            if place is None:
                return
            yield place
            node = node[key]

    def _local(self, path: KeyPath, file: int) -> KeyPath:
        """The path with the index that the item has in its own file."""
        if len(path) > 1 and isinstance(path[0], str) and isinstance(path[1], int):
            return (path[0], path[1] - self.list_starts.get((path[0], file), 0), *path[2:])
        return path


def _child(node: Any, key: str | int) -> Any:
    if isinstance(node, PlacedMap) and isinstance(key, str):
        return node.get(key)
    if isinstance(node, PlacedList) and isinstance(key, int) and key < len(node):
        return node[key]
    return None


def _place(node: Any, key: str | int) -> Place | None:
    if isinstance(node, PlacedMap) and isinstance(key, str):
        return node.places.get(key)
    if isinstance(node, PlacedList) and isinstance(key, int) and key < len(node):
        return node.places[key]
    return None
