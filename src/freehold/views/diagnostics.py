"""Diagnostics for people. Called by `cli` for every problem, and by `views.run` for those of a run.

error[unknown-key]: This key does not exist here
  --> infra.yml:7:9 (domains.homelab.machines.llm.memry)
   |
 7 |         memry: 8GiB
   |         ^^^^^
  `memry` is not a key of a machine.
  hint: Did you mean `memory`?
"""

import re
from collections.abc import Iterator, Sequence
from typing import TextIO

from freehold.diagnostics import Diagnostic, Severity, Source
from freehold.views.commands import as_typed
from freehold.views.terminal import Paper, Style, columns, shortened, visible
from freehold.views.words import count

_STYLES = {Severity.ERROR: Style.ALARM, Severity.WARNING: Style.CAUTION}
_TOKEN = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}]+""")


def render_diagnostics(
    diagnostics: Sequence[Diagnostic], stream: TextIO, *, command: str = "freehold"
) -> None:
    """Write every diagnostic in the order of the files, and how many there are when more than one.

    `command` is how the user called Freehold: hints name commands that way.
    """
    paper = Paper(stream)
    for number, diagnostic in enumerate(in_file_order(diagnostics)):
        if number:
            paper.line()
        for line in diagnostic_lines(diagnostic, paper, command=command):
            paper.line(line)
    if len(diagnostics) > 1:
        paper.line()
        paper.line(_total(diagnostics))


def in_file_order(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Grouped by file (as they first appear), by place inside; those without a place come last, as given."""
    files: dict[str, int] = {}
    for diagnostic in diagnostics:
        if diagnostic.source:
            files.setdefault(diagnostic.source.file, len(files))

    def key(diagnostic: Diagnostic) -> tuple[int, int, int]:
        source = diagnostic.source
        return (files[source.file], source.line, source.column) if source else (len(files), 0, 0)

    return sorted(diagnostics, key=key)


def diagnostic_lines(
    diagnostic: Diagnostic, paper: Paper, indent: str = "", *, command: str = "freehold"
) -> Iterator[str]:
    """One diagnostic as lines, all indented by `indent`; its hint names commands as the user called Freehold."""
    label = f"{diagnostic.severity.value}[{diagnostic.code}]"
    first, *rest = paper.wrapped(visible(diagnostic.summary), f"{indent}{label}: ", indent + "  ")
    head = paper.paint(label, _STYLES[diagnostic.severity])
    yield indent + head + paper.paint(first.removeprefix(indent + label), Style.BOLD)
    yield from (paper.paint(line, Style.BOLD) for line in rest)
    if diagnostic.source:
        yield from _place(diagnostic.source, paper, indent)
    yield from _paragraphs(diagnostic.detail, paper, indent + "  ")
    if diagnostic.hint:
        hint = as_typed(diagnostic.hint, command)
        yield from _paragraphs(hint, paper, indent + "  ", "hint: ")


def _place(source: Source, paper: Paper, indent: str) -> Iterator[str]:
    path = f" ({visible(source.path)})" if source.path else ""
    yield f"{indent}  {paper.paint('-->', Style.CYAN)} {visible(str(source))}{path}"
    if source.text is None:
        return
    number = str(source.line)
    margin = f"{indent} {' ' * len(number)} |"
    line, before, length = _window(source, paper.width - len(margin) - 1)
    yield paper.paint(margin, Style.CYAN)
    yield paper.paint(f"{indent} {number} |", Style.CYAN) + f" {line}".rstrip()
    yield (
        paper.paint(margin, Style.CYAN) + f" {' ' * before}" + paper.paint("^" * length, Style.RED)
    )


def _window(source: Source, room: int) -> tuple[str, int, int]:
    """The part of the user's line that fits, the columns before the underlined word, and its own."""
    text = (source.text or "").rstrip("\r\n")
    start = min(max(source.column - 1, 0), len(text))
    match = _TOKEN.match(text, start)
    end = match.end() if match else start
    head, word, tail = (visible(part) for part in (text[:start], text[start:end], text[end:]))
    if columns(head + word) > room and len(head) > room // 3:
        head = "…" + head[-(room // 3) :]
    line = shortened(head + word + tail, room)
    return line, columns(head), max(1, min(columns(word), columns(line) - columns(head)))


def _paragraphs(text: str, paper: Paper, indent: str, label: str = "") -> Iterator[str]:
    """Prose is wrapped; a line that is indented is a command to copy and stays as it is."""
    hanging = indent + " " * len(label)
    first = indent + label
    for line in text.splitlines():
        if line[:1].isspace() and line.strip():
            yield indent + visible(line.expandtabs(4))
        elif line.strip():
            lines = paper.wrapped(visible(line), first, hanging)
            yield from (_labelled(wrapped, label, indent, paper) for wrapped in lines)
        first = hanging


def _labelled(line: str, label: str, indent: str, paper: Paper) -> str:
    if not label or not line.startswith(indent + label):
        return line
    return indent + paper.paint(label, Style.GREEN) + line.removeprefix(indent + label)


def _total(diagnostics: Sequence[Diagnostic]) -> str:
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    warnings = len(diagnostics) - errors
    parts = [count(n, noun) for n, noun in ((errors, "error"), (warnings, "warning")) if n]
    return ", ".join(parts)
