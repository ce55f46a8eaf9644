"""libyaml's errors in the user's words. Called by `yaml_reader` when the parser gives up."""

import yaml

from freehold.config.codes import problem
from freehold.config.places import SourceFile
from freehold.diagnostics import Diagnostic

_INDENTATION = ("did not find expected key", "did not find expected '-' indicator")
_QUOTE_IT = "Put the value in quotes."
_DETAILS = (
    (
        "mapping values are not allowed",
        "A colon stands where no key can be.",
        "Indent the line like its neighbours; a space follows the colon of the key before; put a text that holds `: ` in quotes.",
    ),
    (
        "could not find expected ':'",
        "This line has no `: ` after its key.",
        "Write `key: value`, with a space after the colon.",
    ),
    ("block sequence entries are not allowed", "A list's `- ` cannot stand here.", "Begin the list on a line of its own."),
    ("unknown escape character", "A backslash in double quotes begins an escape that YAML does not know.", "Use single quotes, or double the backslash."),
    ("hexdecimal number", "An escape in double quotes is not complete.", "Use single quotes, or double the backslash."),
    ("invalid Unicode character escape", "An escape in double quotes names no character.", "Use single quotes, or double the backslash."),
    ("document start", "Something follows the end of the document (`...`).", "Remove the `...` line."),
    ("directive", "A line that begins with `%` is a YAML directive, and not one that can be used.", "Remove the line."),
    ("incompatible YAML document", "The `%YAML` line names a version that does not exist.", "Remove the `%YAML` line."),
    ("document indicator", "`---` or `...` stands inside a text in quotes.", "Close the quotation marks."),
    ("alphabetic or numeric character", "`&` and `*` at the beginning of a value mean an anchor or an alias.", _QUOTE_IT),
    ("did not find expected node content", "A value is expected here.", "Write a value, or put the text in quotes."),
)  # fmt: skip


def syntax_problem(
    error: yaml.YAMLError, file: SourceFile, bracket: tuple[int, int] | None
) -> Diagnostic:
    """The Diagnostic of an error that libyaml stopped with; `bracket` is where the innermost open one stands."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return problem("yaml-syntax", "The file cannot be read as YAML.", file.source(1, 1))
    context = error.context or ""
    message = error.problem or ""
    here = error.problem_mark.line + 1, error.problem_mark.column + 1
    opened = error.context_mark
    if _is_tab(message, here, file):
        return problem(
            "tab-indentation", "A tab stands in front of this line's text.", file.source(here[0], 1)
        )
    if opened is not None and "flow" in context and "expected ','" in message:
        return _unclosed_bracket(opened.line + 1, opened.column + 1, here, file)
    if (
        bracket is not None
        and "node content" in message
        and not _line(file, here[0])[here[1] - 1 :]
    ):
        return _unclosed_bracket(*bracket, here, file)
    if opened is not None and "quoted scalar" in context and "end of stream" in message:
        source = file.source(opened.line + 1, opened.column + 1)
        return problem("unclosed-quote", "The text that begins here does not end.", source)
    if opened is not None and "expected ':'" in message:
        here = opened.line + 1, opened.column + 1
    if message in _INDENTATION:
        return _misplaced(message, here, file)
    return _other(message, here, file)


def _is_tab(message: str, here: tuple[int, int], file: SourceFile) -> bool:
    text = _line(file, here[0])
    return "\t" in text[: len(text) - len(text.lstrip())] or "tab character" in message


def _unclosed_bracket(
    line: int, column: int, here: tuple[int, int], file: SourceFile
) -> Diagnostic:
    bracket = _line(file, line)[column - 1 : column]
    detail = f"The `{bracket}` opened here is not closed, or a comma is missing, before line {here[0]}, column {here[1]}."
    return problem("unclosed-bracket", detail, file.source(line, column))


def _misplaced(message: str, here: tuple[int, int], file: SourceFile) -> Diagnostic:
    """libyaml says the same of a line at a wrong column and of something after a finished value on its line."""
    source = file.source(*here)
    if _line(file, here[0])[: here[1] - 1].strip():
        detail = "The value ended before this place."
        hint = "Put the whole value in quotes of the other kind, or remove what follows it."
        return problem("yaml-syntax", detail, source, hint)
    expected = "a `- ` of the list" if "'-'" in message else "a key of the mapping"
    return problem(
        "bad-indentation", f"Here {expected} above is expected, at the same column.", source
    )


def _other(message: str, here: tuple[int, int], file: SourceFile) -> Diagnostic:
    source = file.source(*here)
    if "cannot start any token" in message:
        sign = _line(file, here[0])[here[1] - 1 : here[1]]
        return problem("yaml-syntax", f"A value cannot begin with `{sign}`.", source, _QUOTE_IT)
    for part, detail, hint in _DETAILS:
        if part in message:
            return problem("yaml-syntax", detail, source, hint)
    return problem("yaml-syntax", f"The YAML parser says: {message}.", source)


def _line(file: SourceFile, number: int) -> str:
    return file.lines[number - 1] if 0 < number <= len(file.lines) else ""
