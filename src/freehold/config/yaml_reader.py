"""YAML text to placed containers, from libyaml's events and with a stack of its own: depth cannot crash it.

Called by `load` for each file. What YAML parsers disagree on is refused with a Diagnostic; the value is then
UNREADABLE in the result, so that later checks keep quiet about it. The one tag is `!secret NAME`, where a secret may stand.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from freehold.config.codes import problem
from freehold.config.places import UNREADABLE, KeyPath, PlacedList, PlacedMap, SourceFile
from freehold.config.reading import DROP, Frame, Reading, StopReading
from freehold.config.scalars import Refused, is_ambiguous_name, resolve
from freehold.config.wrong_types import missing_space
from freehold.config.yaml_errors import syntax_problem
from freehold.diagnostics import Diagnostic
from freehold.model.secrets import SecretRef, is_secret_name

SECRET_TAG = "!secret"  # noqa: S105 - a tag of YAML

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

AllowsNull = Callable[[KeyPath], bool]
"""Says at which key paths nothing (or `null`) is a value."""

SecretAt = Callable[[KeyPath], type[SecretRef] | type[str] | None]
"""What `!secret NAME` becomes at a key path: a reference, or the name where a name is meant anyway; None: it may not stand there."""


def no_secret(path: KeyPath) -> None:
    """For files in which no secret is ever named."""


def read_yaml(
    text: str,
    file: SourceFile,
    number: int,
    allows_null: AllowsNull,
    secret_at: SecretAt = no_secret,
) -> tuple[PlacedMap | None, list[Diagnostic]]:
    """The mapping that a file holds, None when it could not be read to its end as one; and what is wrong with it."""
    reading = Reading(file, number)
    try:
        _Events(reading, allows_null, secret_at).read(yaml.CSafeLoader(text))
    except StopReading:
        return None, reading.problems
    except yaml.YAMLError as error:
        syntax = syntax_problem(error, file, reading.open_bracket())
        return None, [*reading.problems, syntax]
    if isinstance(reading.top, PlacedMap):
        return reading.top, reading.problems
    return None, [*reading.problems, *_no_mapping(reading)]


def _no_mapping(reading: Reading) -> list[Diagnostic]:
    name = reading.file.name
    if reading.top is None:
        return [problem("empty-file", f"`{name}` holds no keys.", reading.file.source(1, 1))]
    if reading.top is UNREADABLE:
        return []
    what = "a list" if isinstance(reading.top, PlacedList) else "a single value"
    source = reading.file.source(*reading.top_at)
    return [problem("not-a-mapping", f"`{name}` holds {what}.", source)]


class _Events:
    """Turns libyaml's events into what `Reading` holds."""

    def __init__(self, reading: Reading, allows_null: AllowsNull, secret_at: SecretAt) -> None:
        self._reading = reading
        self._allows_null = allows_null
        self._secret_at = secret_at

    def read(self, parser: Any) -> None:
        """All events up to the end. Raises yaml.YAMLError and StopReading."""
        documents = 0
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._start(event, PlacedMap())
            elif kind is yaml.SequenceStartEvent:
                self._start(event, PlacedList())
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._reading.close()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._second_document(event)
            elif kind is yaml.StreamEndEvent:
                return

    def _second_document(self, event: Any) -> None:
        line, column = _place(event)
        self._reading.report("several-documents", "Another document begins here.", line, column)
        raise StopReading

    def _start(self, event: Any, container: PlacedMap | PlacedList) -> None:
        line, column = _place(event)
        lost = (event.anchor is not None or event.tag is not None) and self._marked(event)
        self._reading.open(container, line, column, lost=lost)

    def _alias(self, event: Any) -> None:
        line, column = _place(event)
        detail = f"`*{event.anchor}` stands for something written elsewhere."
        self._reading.report("yaml-anchor", detail, line, column)
        if self._reading.expects_key():
            self._reading.frames[-1].key = DROP
        else:
            self._reading.add(UNREADABLE, line, column)

    def _marked(self, event: Any) -> bool:
        """Refuse anchors and tags; whether the value is lost with it."""
        line, column = _place(event)
        if event.anchor is not None:
            detail = f"`&{event.anchor}` names a part of the file to repeat it elsewhere."
            self._reading.report("yaml-anchor", detail, line, column)
        if event.tag is None:
            return False
        detail, hint = _tag_words(event.tag)
        self._reading.report("yaml-tag", detail, line, column, hint)
        return True

    def _scalar(self, event: Any) -> None:
        reading = self._reading
        line, column = _place(event)
        if event.tag == SECRET_TAG and event.anchor is None and not reading.expects_key():
            reading.add(self._secret(event.value, line, column), line, column)
            return
        lost = (event.anchor is not None or event.tag is not None) and self._marked(event)
        text: str = event.value
        plain = event.style == ""
        if reading.expects_key():
            self._key(reading.frames[-1], text, plain, line, column)
        elif lost:
            reading.add(UNREADABLE, line, column)
        elif plain:
            reading.add(self._plain(text, line, column), line, column)
        else:
            reading.add(self._quoted(text, line, column), line, column)

    def _secret(self, name: str, line: int, column: int) -> Any:
        """The reference, or the name alone. A value that somebody wrote here by mistake is not repeated in a message."""
        kind = self._secret_at(self._reading.path())
        if kind is None:
            detail = "`!secret` stands for a text that is kept elsewhere; here Freehold must know the text itself."
            self._reading.report("secret-not-here", detail, line, column)
            return UNREADABLE
        if not is_secret_name(name):
            detail = "What follows `!secret` is no name of a secret."
            self._reading.report("invalid-secret-name", detail, line, column)
            return UNREADABLE
        return kind(name)

    def _plain(self, text: str, line: int, column: int) -> Any:
        value = resolve(text)
        if value is None and self._lacks_value():
            nothing = "Nothing is written after the colon or dash."
            detail = f"`{text}` means no value." if text else nothing
            self._reading.report("empty-value", detail, line, column, self._empty_hint())
            return UNREADABLE
        if isinstance(value, Refused):
            detail = f"`{text}` is {value.because}."
            is_mode = self._reading.path()[-1:] == ("mode",)  # the decimal number is never meant
            instead = f'Write `"{text}"`.' if is_mode else value.instead
            self._reading.report("ambiguous-value", detail, line, column, instead)
            return UNREADABLE
        return value

    def _lacks_value(self) -> bool:
        frames = self._reading.frames
        if not frames or frames[-1].key is DROP:
            return False
        return not self._allows_null(self._reading.path())

    def _empty_hint(self) -> str | None:
        path = self._reading.path()
        if hint := missing_space(str(path[-1])):
            return hint
        if len(path) == 4 and path[2] == "machines":
            return f"A machine with all defaults is written `{path[3]}: {{}}`; its keys are indented below its name."
        return None

    def _quoted(self, text: str, line: int, column: int) -> Any:
        if found := _CONTROL.search(text):
            detail = f"The text holds the character U+{ord(found[0]):04X}, written as an escape."
            self._reading.report("control-character", detail, line, column)
            return UNREADABLE
        return text

    def _key(self, frame: Frame, text: str, plain: bool, line: int, column: int) -> None:
        container = frame.container
        assert isinstance(container, PlacedMap)
        frame.key, frame.key_line, frame.key_column = text, line, column
        if wrong := _wrong_key(container, text, plain, line):
            self._reading.report(wrong[0], wrong[1], line, column, wrong[2])
            frame.key = DROP
        elif plain and is_ambiguous_name(text):
            container.mark_ambiguous({text})


def _wrong_key(
    container: PlacedMap, key: str, plain: bool, line: int
) -> tuple[str, str, str | None] | None:
    """Code, detail and hint of a key that cannot be taken."""
    if plain and key == "<<":
        return "yaml-merge-key", "`<<` would copy another mapping into this one.", None
    if key in container.places:
        first = container.places[key][1]
        hint = f"Keep one of them: line {first} or line {line}."
        return "duplicate-key", f"`{key}` stands in line {first} already.", hint
    if _CONTROL.search(key):
        return "control-character", "The key holds a control character.", None
    return None


def _place(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _tag_words(tag: str) -> tuple[str, str | None]:
    if tag == SECRET_TAG:
        return "`!secret` takes one name, written behind it.", "Write `!secret NAME`."
    shown = tag.replace("tag:yaml.org,2002:", "!!")
    return f"`{shown}` would give the value a type of its own.", None
