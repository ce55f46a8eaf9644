"""The part of a file between two marks that Freehold writes; all the rest is the user's. Pure text; called by `files`.

Line ends are told apart (LF, CRLF, CR): the part takes those of its first mark, and what is the user's stays byte for byte.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BEGIN = "# >>> freehold: rewritten by `freehold sync`; lines of your own go above or below >>>"
END = "# <<< freehold <<<"
SHORT_BEGIN = "# >>> freehold >>>"
"""What somebody types who gives Freehold a part of an existing file."""

_BEGIN = re.compile(r"# >>> freehold\b[^>]*>>>[ \t]*")
_END = re.compile(r"# <<< freehold\b[^<]*<<<[ \t]*")
_LIKE_A_MARK = re.compile(
    r"\s*#+\s*(?:(?:>>+|<<+)\s*freehold\b.*|freehold\b[^<>#]*(?:>>+|<<+)\s*)", re.IGNORECASE
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BYTE_ORDER_MARK = "\ufeff"


class DamagedMarks(Exception):
    """The marks do not enclose exactly one part. `line` counts from 1, `text` is that line; the message is a sentence."""

    def __init__(self, line: int, text: str, words: str) -> None:
        super().__init__(words)
        self.line = line
        self.text = text


@dataclass(frozen=True, slots=True)
class Marked:
    """A file with its part: `before` ends with the line of the first mark, `after` begins with that of the second."""

    before: str
    part: str
    after: str

    def with_part(self, body: str) -> str:
        """The whole text with another part. `body` is lines that end in LF."""
        return self.before + self.in_its_lines(body) + self.after

    def in_its_lines(self, body: str) -> str:
        """The same text with the line ends of this file."""
        return body if self._line_end == "\n" else body.replace("\n", self._line_end)

    @property
    def _line_end(self) -> str:
        return "\r\n" if self.before.endswith("\r\n") else self.before[-1]

    def user_lines(self) -> Iterator[tuple[int, str]]:
        """What is not Freehold's, as numbers (from 1) and lines without their ends."""
        above, below = _lines(self.before)[:-1], _lines(self.after)[1:]
        first_below = len(_lines(self.before)) + len(_lines(self.part)) + 2
        for number, line in (*enumerate(above, 1), *enumerate(below, first_below)):
            yield number, line.rstrip("\r\n").removeprefix(_BYTE_ORDER_MARK)

    @property
    def last_line(self) -> int:
        """The number of the second mark's line."""
        return len(_lines(self.before)) + len(_lines(self.part)) + 1


def split(text: str) -> Marked | None:
    """The file around its part; None when it has no marks. Raises DamagedMarks."""
    begin = end = None
    at = 0
    for number, line in enumerate(_lines(text), 1):
        bare = line.rstrip("\r\n")
        bare = bare.removeprefix(_BYTE_ORDER_MARK) if number == 1 else bare
        if _BEGIN.fullmatch(bare):
            if begin is not None:
                raise DamagedMarks(
                    number, bare, f"The first mark stands in line {begin[0]} already."
                )
            begin = number, at + len(line)
        elif _END.fullmatch(bare):
            if end is not None:
                raise DamagedMarks(
                    number, bare, f"The second mark stands in line {end[0]} already."
                )
            if begin is None:
                raise DamagedMarks(
                    number, bare, "The second mark stands here without a first above."
                )
            end = number, at
        elif _LIKE_A_MARK.fullmatch(bare):
            raise DamagedMarks(
                number, bare, "This line looks like a mark of Freehold's but is none."
            )
        at += len(line)
    if begin is None:
        return None
    if end is None:
        raise DamagedMarks(begin[0], BEGIN, "The second mark is missing below this one.")
    return Marked(text[: begin[1]], text[begin[1] : end[1]], text[end[1] :])


def _lines(text: str) -> list[str]:
    """The lines with their ends. `str.splitlines` would also split at characters that YAML does not."""
    return _LINE.findall(text)
