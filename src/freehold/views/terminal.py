"""What a stream can show: its width, whether it takes colour, which characters. Every renderer writes through `Paper`.

Nothing that a user chose is ever interpreted: control characters are shown escaped, and there is no markup. Rich is
not imported here, so that the fast path (nothing to do, not on a terminal) does not pay for it.
"""

import os
import re
import textwrap
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import TextIO

DEFAULT_WIDTH = 100
DEFAULT_LINES = 24
NARROWEST = 20
_PLAIN = str.maketrans({"→": "->", "±": "+-", "…": "...", "─": "-", "│": "|", "—": "-"})
_QUOTED = re.compile(r"`[^`]*`")
_HELD = "\x00"  # stands for a space that may not become the end of a line; never in text that is `visible`
_RESET = "\x1b[0m"


class Style(StrEnum):
    """How a piece of text stands out, as parameters of SGR (ECMA-48, 8.3.117). Words always say the same."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"
    ALARM = "1;31"
    CAUTION = "1;33"


class Paper:
    """A stream to write lines on: knows its width, paints where colour is wanted, never fails on a character."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.is_terminal = _is_terminal(stream)
        self.width = size_of(stream).columns
        self.has_limit = self.is_terminal or bool(os.environ.get("COLUMNS"))
        self.colour = wants_colour(self.is_terminal)

    @property
    def can_animate(self) -> bool:
        """Whether lines can be rewritten in place."""
        return self.is_terminal and not is_dumb() and self.takes("━⠋")

    def takes(self, text: str) -> bool:
        """Whether the stream's encoding has these characters."""
        try:
            text.encode(getattr(self.stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def paint(self, text: str, *styles: Style) -> str:
        """The text with its style, or as it is where colour is not wanted."""
        if not self.colour or not styles or not text:
            return text
        return f"\x1b[{';'.join(styles)}m{text}{_RESET}"

    def line(self, text: str = "") -> None:
        """Write one line, with what the encoding lacks replaced."""
        if not self.takes(text):
            encoding = getattr(self.stream, "encoding", None) or "utf-8"
            text = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
        self.stream.write(text + "\n")

    def wrapped(self, text: str, indent: str = "", hanging: str | None = None) -> Iterable[str]:
        """The text in lines of the stream's width; `hanging` indents all but the first."""
        return wrap(text, self.width, indent, hanging)


def wants_colour(is_terminal: bool) -> bool:
    """NO_COLOR (no-color.org) wins over FORCE_COLOR (force-color.org), which wins over what the stream is."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (is_terminal and not is_dumb())


def is_dumb() -> bool:
    """Whether the terminal says that it understands no escape sequences."""
    return os.environ.get("TERM", "").lower() in {"", "dumb", "unknown"}


def size_of(stream: TextIO) -> os.terminal_size:
    """COLUMNS when it is set, else the terminal's width, else 100, at least 20; and its lines, else 24."""
    try:
        real = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError, AttributeError):
        real = os.terminal_size((0, 0))
    said = os.environ.get("COLUMNS", "")
    wide = int(said) if said.isascii() and said.isdigit() else 0
    width = max(NARROWEST, wide or real.columns or DEFAULT_WIDTH)
    return os.terminal_size((width, real.lines or DEFAULT_LINES))


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def wrap(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Lines of at most `width` columns; words and what stands in backticks stay whole, to be copied."""
    lines = textwrap.wrap(
        _QUOTED.sub(lambda match: match[0].replace(" ", _HELD), text),
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_HELD, " ") for line in lines] or [indent.rstrip()]


def visible(text: str) -> str:
    """The text with everything that a terminal would obey, or not show, written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def on_one_line(text: str) -> str:
    """The same of what another program said on one line or several."""
    return visible(" ".join(text.splitlines()))


def _escaped(character: str) -> str:
    """Escaped: control, format (bidi too), surrogate, private and unassigned; separators of lines."""
    category = unicodedata.category(character)
    if category[0] != "C" and category not in {"Zl", "Zp"}:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def shortened(text: str, limit: int) -> str:
    """At most `limit` columns, with `…` in place of the rest."""
    if columns(text) <= limit:
        return text
    kept, used = [], 1
    for character in text:
        used += columns(character)
        if used > limit:
            break
        kept.append(character)
    return "".join(kept) + "…"


def columns(text: str) -> int:
    """How many columns a text takes: two for wide characters (UAX #11), none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
