"""The state while one file is read: the containers that are open, the places, and the problems found.

`yaml_reader` drives it.
"""

from typing import Any

from freehold.config.codes import MOST_PROBLEMS, problem
from freehold.config.places import UNREADABLE, KeyPath, PlacedList, PlacedMap, SourceFile
from freehold.diagnostics import Diagnostic

DEEPEST = 40  # levels of nesting


class StopReading(Exception):
    """Reading of this file cannot go on; the problem is noted already."""


class NoKey:
    """In the place of a key: none read yet, or one whose value is to be dropped."""


NO_KEY = NoKey()
DROP = NoKey()


class Frame:
    """A container that is being filled. `key` is the pending key of a mapping with the place it was written at.

    `lost`: it is not to be used; `spoiled`: not if nothing is in it; `as_key`: it stands in the place of a key.
    """

    __slots__ = ("as_key", "at", "container", "key", "key_column", "key_line", "lost", "spoiled")

    def __init__(self, container: PlacedMap | PlacedList, at: tuple[int, int]) -> None:
        self.container = container
        self.at = at
        self.key: str | NoKey = NO_KEY
        self.key_line = 0
        self.key_column = 0
        self.lost = False
        self.spoiled = False
        self.as_key = False


class Reading:
    """What has been read of one file. `top` is the outermost value once it is complete, `top_at` its place."""

    def __init__(self, file: SourceFile, number: int) -> None:
        self.file = file
        self.number = number
        self.problems: list[Diagnostic] = []
        self.top: Any = None
        self.top_at = (1, 1)
        self.frames: list[Frame] = []
        self._muted = 0

    def report(
        self, code: str, detail: str, line: int, column: int, hint: str | None = None
    ) -> None:
        """Note a problem at this place, below the keys that are open; nothing more inside of a key.

        Raises StopReading when there are too many.
        """
        if self._muted:
            return
        source = self.file.source(line, column, self.path())
        self.problems.append(problem(code, detail, source, hint))
        if len(self.problems) >= MOST_PROBLEMS:
            detail = f"`{self.file.name}` has {MOST_PROBLEMS} problems up to here."
            self.problems.append(problem("too-many-problems", detail, source))
            raise StopReading

    def open(
        self, container: PlacedMap | PlacedList, line: int, column: int, *, lost: bool
    ) -> None:
        """A list or mapping begins. Raises StopReading when it stands too deep."""
        if len(self.frames) >= DEEPEST:
            source = self.file.source(line, column, self.path()[:1])
            self.problems.append(problem("too-deep", f"This is level {DEEPEST + 1}.", source))
            raise StopReading
        frame = Frame(container, (line, column))
        frame.lost = lost
        if self.expects_key():
            self.report("yaml-key", "A list or mapping stands in the place of a key.", line, column)
            frame.as_key = True
            self._muted += 1
        self.frames.append(frame)

    def close(self) -> None:
        """The innermost list or mapping ends."""
        frame = self.frames.pop()
        if frame.as_key:
            self._muted -= 1
            self.frames[-1].key = DROP
            self.frames[-1].spoiled = True
        else:
            lost = frame.lost or (frame.spoiled and not frame.container)
            self.add(UNREADABLE if lost else frame.container, *frame.at)

    def add(self, value: Any, line: int, column: int) -> None:
        """A value is complete."""
        if not self.frames:
            self.top, self.top_at = value, (line, column)
            return
        frame = self.frames[-1]
        container = frame.container
        if type(container) is PlacedList:
            container.append(value)
            container.places.append((self.number, line, column, line, column))
            return
        assert isinstance(container, PlacedMap)
        key = frame.key
        frame.key = NO_KEY
        if isinstance(key, str):
            container[key] = value
            container.places[key] = (self.number, frame.key_line, frame.key_column, line, column)

    def expects_key(self) -> bool:
        """Whether a key of a mapping comes next."""
        frame = self.frames[-1] if self.frames else None
        return frame is not None and type(frame.container) is PlacedMap and frame.key is NO_KEY

    def path(self) -> KeyPath:
        """The keys and indexes that lead to what is being read."""
        path: list[str | int] = []
        for frame in self.frames:
            if isinstance(frame.container, PlacedList):
                path.append(len(frame.container))
            elif isinstance(frame.key, str):
                path.append(frame.key)
        return tuple(path)

    def open_bracket(self) -> tuple[int, int] | None:
        """Where the innermost `[` or `{` that is open was written."""
        if not self.frames:
            return None
        line, column = self.frames[-1].at
        sign = self.file.lines[line - 1][column - 1 : column]
        return (line, column) if sign and sign in "[{" else None
