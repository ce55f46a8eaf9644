"""Tables for `status` and `log`: columns in step where they fit, a block for each row where they do not.

Words are never broken, so that names can be copied. Where no terminal sets a limit (a pipe, a file) a row is one
line, so that `grep` finds it whole. Laid out here, not by Rich: importing it would double the time of these verbs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from freehold.views.terminal import Paper, Style, columns, wrap

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
    widths = [_widest(column) for column in cells]
    gaps = _GAP * (len(heads) - 1)
    if paper.has_limit and sum(widths) + gaps > paper.width:
        least = [_narrowest(head, column) for head, column in zip(heads, cells, strict=True)]
        if sum(least) + gaps > paper.width:
            return _blocks(heads, rows)
        widths = _shared_out(least, widths, paper.width - gaps)
    return _in_columns(heads, rows, widths, paper)


def _widest(cells: Sequence[str]) -> int:
    return max(map(columns, cells))


def _narrowest(head: Column, cells: Sequence[str]) -> int:
    """The least width of a column in which no word is broken."""
    if not head.folds:
        return _widest(cells)
    return _widest([word for cell in cells for word in cell.split()])


def _shared_out(least: Sequence[int], wanted: Sequence[int], width: int) -> list[int]:
    """What is left beyond the least goes to the columns that want more, the first ones first."""
    spare = width - sum(least)
    widths = []
    for smallest, largest in zip(least, wanted, strict=True):
        more = min(spare, largest - smallest)
        spare -= more
        widths.append(smallest + more)
    return widths


def _in_columns(
    heads: Sequence[Column], rows: Sequence[Sequence[str]], widths: Sequence[int], paper: Paper
) -> Iterator[str]:
    yield paper.paint(_joined([head.name for head in heads], widths), Style.BOLD)
    for row in rows:
        if not row:
            yield ""
            continue
        folded = [
            wrap(cell, width) if head.folds else [cell]
            for head, cell, width in zip(heads, row, widths, strict=True)
        ]
        for line in zip_longest(*folded, fillvalue=""):
            yield _joined(line, widths)


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell + " " * (width - columns(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    return (" " * _GAP).join(padded).rstrip()


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
