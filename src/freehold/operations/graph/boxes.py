"""How large the boxes of domains and hosts are and in which cell of a grid each stands. Pure geometry; called by `layout`.

All lengths are in pixels of the picture at its natural size.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from freehold.operations.graph.contents import Content, Entry

CARD_WIDTH = 232
CARD_GAP = 12
LINE = 16
CARD_HEAD = 26
CARD_FOOT = 8
PADDING = 14
HEAD = 74  # a name and two lines
EMPTY = 30  # the room for "no machines"
STUB = 20  # from a box's left edge to its connection with the way out
PORT = 12  # between two arrows at one side of a box
GAP = 60  # roughly what lies between two boxes, to choose the grid
PREFERRED = 1.5  # width to height of the whole


@dataclass(frozen=True, slots=True)
class Card:
    """What stands in a box, on a card of its own; `x` and `y` from the box's corner."""

    entry: Entry
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A domain or a host with its cards, in a cell of the grid (row 0 is for this computer and the internet)."""

    content: Content
    cards: tuple[Card, ...]
    width: int
    height: int
    row: int
    column: int

    @property
    def name(self) -> str:
        """That of the domain or host."""
        return self.content.name


def frames(contents: Sequence[Content], arrows: Mapping[str, int]) -> list[Frame]:
    """All boxes in a grid that makes the picture neither a strip nor a tower, nor full of holes.

    `arrows` counts those that meet a box, which is wide enough for all of them on one side.
    """
    measured = [_measure(content, arrows.get(content.name, 0)) for content in contents]
    wide = _best_columns([(box[2], box[3]) for box in measured])
    return [
        Frame(*box, row=1 + number // wide, column=number % wide)
        for number, box in enumerate(measured)
    ]


def width_for(arrows: int) -> int:
    """How wide a box must be, so that its arrows keep their distance."""
    return 2 * STUB + PORT * (arrows + 2)


def _measure(content: Content, arrows: int) -> tuple[Content, tuple[Card, ...], int, int]:
    wide = _cards_beside(len(content.entries))
    cards: list[Card] = []
    top = HEAD
    for start in range(0, len(content.entries), wide):
        row = content.entries[start : start + wide]
        height = CARD_HEAD + max(len(entry.facts) for entry in row) * LINE + CARD_FOOT
        for place, entry in enumerate(row):
            x = PADDING + place * (CARD_WIDTH + CARD_GAP)
            cards.append(Card(entry, x, top, height))
        top += height + CARD_GAP
    width = 2 * PADDING + max(1, wide) * (CARD_WIDTH + CARD_GAP) - CARD_GAP
    bottom = top - CARD_GAP if cards else top + EMPTY
    return content, tuple(cards), max(width, width_for(arrows)), bottom + PADDING


def _cards_beside(cards: int) -> int:
    return max(1, min(4, math.ceil(math.sqrt(cards))))


def _best_columns(sizes: Sequence[tuple[int, int]]) -> int:
    """How many boxes stand side by side, so that the whole comes nearest to the preferred shape."""

    def misfit(wide: int) -> float:
        rows = [sizes[start : start + wide] for start in range(0, len(sizes), wide)]
        width = sum(max(row[i][0] for row in rows if i < len(row)) + GAP for i in range(wide))
        height = sum(max(size[1] for size in row) + GAP for row in rows)
        holes = len(rows) * wide - len(sizes)
        return abs(math.log(width / height / PREFERRED)) + holes / len(sizes)

    return min(range(1, len(sizes) + 1), key=misfit, default=1)
