"""YAML text to placed containers, from libyaml's events and with a stack of its own: depth cannot crash it.

Called by `load` for each file. What YAML parsers disagree on is refused with a Diagnostic; the value is then
UNREADABLE in the result, so that later checks keep quiet about it.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from freehold.config.codes import problem
from freehold.config.places import (
    UNREADABLE,
    KeyPath,
    PlacedList,
    PlacedMap,
    SourceFile,
)
from freehold.config.scalars import Refused, is_ambiguous_name, resolve
from freehold.config.yaml_errors import syntax_problem
from freehold.diagnostics import Diagnostic

DEEPEST = 40  # levels of nesting
MOST_PROBLEMS = 1000

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class _Stop(Exception):
    """Reading of this file cannot go on; the problem is noted already."""


class _NoKey:
    """In the place of a key: none read yet, or one whose value is to be dropped."""


_NO_KEY = _NoKey()
_DROP = _NoKey()


class _Frame:
    """A container that is being filled. `key` is the pending key of a mapping with the place it was written at.

    `lost`: its value is not to be used; `as_key`: it stands in the place of a key.
    """

    __slots__ = ("as_key", "at", "container", "key", "key_column", "key_line", "lost")

    def __init__(self, container: PlacedMap | PlacedList, at: tuple[int, int]) -> None:
        self.container = container
        self.at = at
        self.key: str | _NoKey = _NO_KEY
        self.key_line = 0
        self.key_column = 0
        self.lost = False
        self.as_key = False


class Reading:
    """The result for one file: `root` is None when the file could not be read to its end as a mapping."""

    def __init__(self, file: SourceFile, number: int) -> None:
        self.file = file
        self.number = number
        self.root: PlacedMap | None = None
        self.problems: list[Diagnostic] = []
        self._top: Any = None
        self._top_at = (1, 1)
        self._frames: list[_Frame] = []
        self._muted = 0

    def report(
        self, code: str, detail: str, line: int, column: int, hint: str | None = None
    ) -> None:
        """Note a problem at this place, below the keys that are open; nothing more inside of a key."""
        if self._muted:
            return
        source = self.file.source(line, column, self._path())
        self.problems.append(problem(code, detail, source, hint))
        if len(self.problems) >= MOST_PROBLEMS:
            detail = f"`{self.file.name}` has {MOST_PROBLEMS} problems up to here."
            self.problems.append(problem("too-many-problems", detail, source))
            raise _Stop

    def read(self, text: str, allows_null: Callable[[KeyPath], bool]) -> None:
        """Read the file. `allows_null` says at which key paths nothing (or `null`) is a value."""
        self._allows_null = allows_null
        try:
            self._events(yaml.CSafeLoader(text))
        except _Stop:
            return
        except yaml.YAMLError as error:
            self.problems.append(syntax_problem(error, self.file, self._open_bracket()))
            return
        if isinstance(self._top, PlacedMap):
            self.root = self._top
        else:
            self._no_mapping()

    def _events(self, parser: Any) -> None:
        documents = 0
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, PlacedMap())
            elif kind is yaml.SequenceStartEvent:
                self._open(event, PlacedList())
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close()
            elif kind is yaml.AliasEvent:
                mark = event.start_mark
                detail = f"`*{event.anchor}` stands for something written elsewhere."
                self._refuse("yaml-anchor", detail, mark)
                self._alias(mark.line + 1, mark.column + 1)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._second_document(event.start_mark)
            elif kind is yaml.StreamEndEvent:
                return

    def _second_document(self, mark: Any) -> None:
        self._refuse("several-documents", "Another document begins here.", mark)
        raise _Stop

    def _refuse(self, code: str, detail: str, mark: Any, hint: str | None = None) -> None:
        self.report(code, detail, mark.line + 1, mark.column + 1, hint)

    def _open(self, event: Any, container: PlacedMap | PlacedList) -> None:
        mark = event.start_mark
        if len(self._frames) >= DEEPEST:
            source = self.file.source(mark.line + 1, mark.column + 1, self._path()[:1])
            self.problems.append(problem("too-deep", f"This is level {DEEPEST + 1}.", source))
            raise _Stop
        frame = _Frame(container, (mark.line + 1, mark.column + 1))
        if event.anchor is not None or event.tag is not None:
            frame.lost = self._marked(event)
        if self._in_place_of_key():
            self._refuse("yaml-key", "A list or mapping stands in the place of a key.", mark)
            frame.as_key = True
            self._muted += 1
        self._frames.append(frame)

    def _close(self) -> None:
        frame = self._frames.pop()
        if frame.as_key:
            self._muted -= 1
            self._frames[-1].key = _DROP
            self._frames[-1].lost = True
        else:
            self._add(UNREADABLE if frame.lost else frame.container, *frame.at)

    def _in_place_of_key(self) -> bool:
        frame = self._frames[-1] if self._frames else None
        return frame is not None and type(frame.container) is PlacedMap and frame.key is _NO_KEY

    def _marked(self, event: Any) -> bool:
        """Refuse anchors and tags; whether the value is lost with it."""
        if event.anchor is not None:
            detail = f"`&{event.anchor}` names a part of the file to repeat it elsewhere."
            self._refuse("yaml-anchor", detail, event.start_mark)
        if event.tag is None:
            return False
        self._refuse("yaml-tag", *_tag_words(event.tag, event.start_mark))
        return True

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        lost = (event.anchor is not None or event.tag is not None) and self._marked(event)
        text: str = event.value
        plain = event.style == ""
        if self._frames:
            frame = self._frames[-1]
            if frame.key is _NO_KEY and type(frame.container) is PlacedMap:
                self._key(frame, text, plain, line, column)
                return
        if lost:
            self._add(UNREADABLE, line, column)
        elif plain:
            self._add(self._plain(text, line, column), line, column)
        else:
            self._add(self._quoted(text, line, column), line, column)

    def _plain(self, text: str, line: int, column: int) -> Any:
        value = resolve(text)
        if value is None and self._lacks_value():
            what = (
                f"`{text}` means no value."
                if text
                else "Nothing is written after the colon or dash."
            )
            self.report("empty-value", what, line, column, self._empty_hint())
            return UNREADABLE
        if isinstance(value, Refused):
            self.report(
                "ambiguous-value", f"`{text}` is {value.because}.", line, column, value.instead
            )
            return UNREADABLE
        return value

    def _lacks_value(self) -> bool:
        if not self._frames or self._frames[-1].key is _DROP:
            return False
        return not self._allows_null(self._path())

    def _empty_hint(self) -> str | None:
        path = self._path()
        last = path[-1]
        if isinstance(last, str) and re.fullmatch(r"[a-z_]+:[^ ]+", last):
            return f"A space is missing after the colon: `{last.replace(':', ': ', 1)}`."
        if len(path) == 4 and path[2] == "machines":
            return f"A machine with all defaults is written `{path[3]}: {{}}`; its keys are indented below its name."
        return None

    def _quoted(self, text: str, line: int, column: int) -> Any:
        if found := _CONTROL.search(text):
            detail = f"The text holds the character U+{ord(found[0]):04X}, written as an escape."
            self.report("control-character", detail, line, column)
            return UNREADABLE
        return text

    def _key(self, frame: _Frame, text: str, plain: bool, line: int, column: int) -> None:
        container = frame.container
        assert isinstance(container, PlacedMap)
        frame.key, frame.key_line, frame.key_column = text, line, column
        if plain and text == "<<":
            self.report(
                "yaml-merge-key", "`<<` would copy another mapping into this one.", line, column
            )
            frame.key = _DROP
        elif text in container.places:
            self._duplicate(container, text, line, column)
            frame.key = _DROP
        elif _CONTROL.search(text):
            self.report("control-character", "The key holds a control character.", line, column)
            frame.key = _DROP
        elif plain and is_ambiguous_name(text):
            container.ambiguous |= {text}

    def _duplicate(self, container: PlacedMap, key: str, line: int, column: int) -> None:
        first = container.places[key][1]
        detail = f"`{key}` stands in line {first} already."
        hint = f"Keep one of them: line {first} or line {line}."
        self.report("duplicate-key", detail, line, column, hint)

    def _add(self, value: Any, line: int, column: int) -> None:
        if not self._frames:
            self._top, self._top_at = value, (line, column)
            return
        frame = self._frames[-1]
        container = frame.container
        if type(container) is PlacedList:
            container.append(value)
            container.places.append((self.number, line, column, line, column))
            return
        assert isinstance(container, PlacedMap)
        key = frame.key
        frame.key = _NO_KEY
        if isinstance(key, str):
            container[key] = value
            place = (self.number, frame.key_line, frame.key_column, line, column)
            container.places[key] = place

    def _alias(self, line: int, column: int) -> None:
        if self._in_place_of_key():
            self._frames[-1].key = _DROP
        else:
            self._add(UNREADABLE, line, column)

    def _open_bracket(self) -> tuple[int, int] | None:
        """Where the innermost `[` or `{` that is open was written."""
        if not self._frames:
            return None
        line, column = self._frames[-1].at
        sign = self.file.lines[line - 1][column - 1 : column]
        return (line, column) if sign and sign in "[{" else None

    def _path(self) -> KeyPath:
        path: list[str | int] = []
        for frame in self._frames:
            if isinstance(frame.container, PlacedList):
                path.append(len(frame.container))
            elif isinstance(frame.key, str):
                path.append(frame.key)
        return tuple(path)

    def _no_mapping(self) -> None:
        line, column = self._top_at
        if self._top is None:
            self.problems.append(
                problem("empty-file", f"`{self.file.name}` holds no keys.", self.file.source(1, 1))
            )
            return
        if self._top is UNREADABLE:
            return
        what = "a list" if isinstance(self._top, PlacedList) else "a single value"
        self.report("not-a-mapping", f"`{self.file.name}` holds {what}.", line, column)


def _tag_words(tag: str, mark: Any) -> tuple[str, Any, str | None]:
    if tag == "!secret":
        detail = "Secrets (`!secret NAME`) belong to a later version."
        return detail, mark, "Remove the tag, and do not write the secret itself into this file."
    shown = tag.replace("tag:yaml.org,2002:", "!!")
    return f"`{shown}` would give the value a type of its own.", mark, None
