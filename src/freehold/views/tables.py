"""Tables, laid out by Rich: columns in step, cells folded where the terminal is narrow. Used by `status` and `log`."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from freehold.views.terminal import Paper


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and how it is set."""

    name: str
    justify: Literal["left", "right"] = "left"


def table_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], paper: Paper, *, indent: int = 0
) -> Iterator[str]:
    """The table as lines for `paper`; cells must be escaped already and are shown as they are."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(Text(column.name), justify=column.justify, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        width=paper.width - indent,
        force_terminal=paper.colour,
        color_system="standard" if paper.colour else None,
        no_color=not paper.colour,
        legacy_windows=False,
    )
    console.print(table)
    for line in drawn.getvalue().splitlines():
        yield (" " * indent + line).rstrip()
