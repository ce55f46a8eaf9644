"""Freehold's part of a file is Freehold's; every other byte is the user's, whatever they do to it."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from freehold.providers.ansible.managed import BEGIN, END, SHORT_BEGIN, DamagedMarks, split

BODY = "freehold_domain: homelab\ngreeting: hello\n"

PIECES = st.sampled_from([
    "\n", "\n", "\r\n", "\r", "\r\n", " ", "\t", "é", "\u2028", "\x0b", "\x85", "\\", "#", "%", "'", '"', ": ", "- ",
    "# a comment of mine", "my_variable: 1", "  - nested", "---", "...", "greeting: mine", "text: |", "# >>> other tool >>>",
    "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n", "# freehold is nice\n", "freehold_domain: mine\r\n",
])  # fmt: skip
LINE_ENDS = ["\n", "\r\n", "\r"]
USER_TEXT = st.lists(PIECES, max_size=12).map("".join)


@dataclass(frozen=True)
class Edit:
    """A span of the user's own text is gone, and something stands in its place."""

    start: float
    length: int
    put: str

    def of(self, text: str) -> str:
        at = int(self.start * len(text))
        return text[:at] + self.put + text[at + self.length :]


EDITS = st.builds(Edit, st.floats(0, 1), st.integers(0, 20), USER_TEXT)
BODIES = st.sampled_from([BODY, "a: 1\n", "a:\n  - 1\n\n  - 2\n", "# nothing\n"])


@settings(max_examples=1000)
@given(
    USER_TEXT, USER_TEXT, EDITS, EDITS, BODIES, BODIES, st.sampled_from(LINE_ENDS), st.booleans()
)
def test_what_the_user_writes_around_the_part_survives_a_thousand_edits(
    above: str,
    below: str,
    edit_above: Edit,
    edit_below: Edit,
    body: str,
    changed: str,
    line_end: str,
    byte_order_mark: bool,
) -> None:
    above, below = whole_lines(above, line_end), below and line_end + below
    first = "\ufeff" * byte_order_mark + above
    text = f"{first}{BEGIN}{line_end}{body}{END}{below}"
    for wanted in (body, changed):
        marked = split(text)
        assert marked is not None
        written = marked.with_part(wanted)
        part = wanted.replace("\n", line_end)
        assert written == f"{first}{BEGIN}{line_end}{part}{END}{below}"
        again = split(written)
        assert again is not None
        assert again.with_part(wanted) == written  # a second run has nothing to do
        assert again.part == again.in_its_lines(wanted)
        first = "\ufeff" * byte_order_mark + whole_lines(edit_above.of(above), line_end)
        below = below and line_end + edit_below.of(below.removeprefix(line_end))
        assume(not like_a_mark(first) and not like_a_mark(below))  # an error of its own, see below
        text = f"{first}{BEGIN}{line_end}{part}{END}{below}"


def like_a_mark(text: str) -> bool:
    lines = re.split(r"[\r\n]", text)  # as YAML does: other separators of Unicode end no line
    return any("freehold" in line and (">>" in line or "<<" in line) for line in lines)


def whole_lines(text: str, line_end: str) -> str:
    """The mark stands on a line of its own."""
    return text if not text or text.endswith(("\n", "\r")) else text + line_end


def marked_lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "number", "words"),
    [
        ([BEGIN, "a: 1"], 1, "second mark is missing"),
        (["a: 1", END], 2, "without a first"),
        ([END, "a: 1", BEGIN], 1, "without a first"),
        ([BEGIN, "a: 1", END, BEGIN, "b: 1", END], 4, "stands in line 1 already"),
        ([BEGIN, "a: 1", END, END], 4, "stands in line 3 already"),
        ([BEGIN, BEGIN, "a: 1", END, END], 2, "stands in line 1 already"),
        ([f"  {BEGIN}", "a: 1", END], 1, "looks like a mark"),
        ([BEGIN[:-4], "a: 1", END], 1, "looks like a mark"),
        ([BEGIN, "a: 1", "# <<< freehold"], 3, "looks like a mark"),
        ([BEGIN, "a: 1", "# << freehold <<"], 3, "looks like a mark"),
        ([BEGIN.upper(), "a: 1", END], 1, "looks like a mark"),
        ([f"a: 1 {BEGIN}", BEGIN, END], None, ""),
    ],
)
def test_damaged_marks_are_told_by_line(lines: list[str], number: int | None, words: str) -> None:
    if number is None:  # behind a value it is a comment of the user's
        assert split(marked_lines(*lines)) is not None
        return
    with pytest.raises(DamagedMarks, match=re.escape(words)) as damage:
        split(marked_lines(*lines))
    assert damage.value.line == number
    assert damage.value.text == lines[number - 1]


@pytest.mark.parametrize("text", ["", "a: 1\n", "# about freehold\n", "# >>> conda >>>\n# <<<\n"])
def test_a_file_without_marks_is_no_file_of_freeholds(text: str) -> None:
    assert split(text) is None


def test_the_marks_that_somebody_types_are_enough() -> None:
    marked = split(f"mine: 1\n{SHORT_BEGIN}  \n{END}\t\nalso: mine")
    assert marked is not None
    assert marked.with_part("a: 1\n") == f"mine: 1\n{SHORT_BEGIN}  \na: 1\n{END}\t\nalso: mine"


def test_the_users_lines_have_the_numbers_of_the_file() -> None:
    text = f"\ufeffone\r\ntwo\r\n{BEGIN}\r\na: 1\r\nb: 2\r\n{END}\r\nseven\r\n\r\nnine"
    marked = split(text)
    assert marked is not None
    assert list(marked.user_lines()) == [(1, "one"), (2, "two"), (7, "seven"), (8, ""), (9, "nine")]
    assert marked.last_line == 6
