"""What an unquoted scalar of YAML means: the core schema of YAML 1.2 (section 10.3.2), refusing what YAML 1.1 reads
otherwise. Called by `yaml_reader` for every plain scalar.
"""

import re
from dataclasses import dataclass

_CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip

_WORDS_OF_YAML_1_1 = {
    form: meaning
    for word, meaning in [
        ("y", True), ("yes", True), ("on", True), ("n", False), ("no", False), ("off", False)
    ]
    for form in (word, word.capitalize(), word.upper())
}  # fmt: skip

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)")
_LONGEST_INTEGER = 18  # digits: fits 64 bits everywhere

_TRAPS = (
    (re.compile(r"[-+]?0[0-9_]+"), "an octal number to some parsers, a decimal one to others"),
    (re.compile(r"[-+]?0[oxbOXB][0-9a-fA-F_]+"), "a number in another base to some parsers, text to others"),
    (re.compile(r"[-+]?(?=[0-9.]*_)[0-9][0-9_]*(?:\.[0-9_]*)?"), "a number to some parsers, text to others"),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), "a number of base 60 to some parsers, text to others"),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+"), "a number to some parsers, text to others"),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)"), "infinite or not a number"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?"), "a date to some parsers, text to others"),
)  # fmt: skip

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A scalar that parsers read differently. `instead` is what to write, with the quotes for text."""

    text: str
    because: str
    instead: str


def resolve(text: str) -> Scalar | Refused:
    """The value of a plain scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return _word(text) if len(text) <= 3 and text in _WORDS_OF_YAML_1_1 else text
    return _number(text)


def is_ambiguous_name(text: str) -> bool:
    """Whether an unquoted key is something other than text to some parser: `no`, `null`, `12`."""
    return not isinstance(resolve(text), str)


def _word(text: str) -> Refused:
    meaning = "true" if _WORDS_OF_YAML_1_1[text] else "false"
    return Refused(
        text,
        f"`{meaning}` to some parsers, text to others",
        f'Write `{meaning}` if that is meant, or `"{text}"` for the word.',
    )


def _number(text: str) -> Scalar | Refused:
    if _INTEGER.fullmatch(text):
        if len(text) > _LONGEST_INTEGER:
            return Refused(text, "too large for a number", f'Write `"{text}"` if text is meant.')
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    for pattern, because in _TRAPS:
        if pattern.fullmatch(text):
            return Refused(text, because, _instead(text))
    return text


def _instead(text: str) -> str:
    decimal = text.lstrip("0_")
    if re.fullmatch(r"0[0-9]+", text) and decimal:
        return f'Write `{decimal}` for the decimal number, or `"{text}"` for text.'
    if re.fullmatch(r"[1-9][0-9_]+", text):
        return f'Write `{text.replace("_", "")}` for the number, or `"{text}"` for text.'
    if text.count("-") >= 2:
        return f'Write `"{text}"`.'
    return f'Write `"{text}"` if text is meant, else a plain decimal number.'
