"""Tables for `status` and `log`: laid out by Rich where they fit, as a block for each row where they do not.

Names are never broken, so that they can be copied. Where nobody's terminal sets a limit (a pipe, a file) a row is one
line, so that `grep` finds it whole.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freehold.views.terminal import Paper, columns

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, and whether its cells may be folded onto several lines, between words."""

    name: str
    folds: bool = False


def table_lines(
    heads: Sequence[Column], rows: Sequence[Sequence[str]], paper: Paper
) -> Iterator[str]:
    """The table as lines for `paper`. Cells must be escaped already; an empty row is an empty line."""
    cells = [
        [head.name, *(row[number] for row in rows if row)] for number, head in enumerate(heads)
    ]
    gaps = _GAP * (len(heads) - 1)
    width = sum(map(_widest, cells)) + gaps
    if paper.has_limit and width > paper.width:
        width = paper.width
        if sum(map(_narrowest, heads, cells)) + gaps > width:
            return _blocks(heads, rows)
    return _drawn(heads, rows, width, paper.colour)


def _widest(cells: Sequence[str]) -> int:
    return max(map(columns, cells))


def _narrowest(head: Column, cells: Sequence[str]) -> int:
    """The least width of a column in which no word is broken."""
    if not head.folds:
        return _widest(cells)
    return _widest([word for cell in cells for word in cell.split()])


def _blocks(heads: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each row as its first cell, with the others beneath by name."""
    for row in rows:
        if not row:
            yield ""
            continue
        yield row[0]
        for head, cell in zip(heads[1:], row[1:], strict=True):
            if cell:
                yield f"  {head.name}: {cell}"


def _drawn(
    heads: Sequence[Column], rows: Sequence[Sequence[str]], width: int, colour: bool
) -> Iterator[str]:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(Text(head.name), overflow="fold", no_wrap=not head.folds)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    console.print(table)
    for line in drawn.getvalue().splitlines():
        yield line.rstrip()
