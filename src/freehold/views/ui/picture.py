"""Where everything stands in the picture of the estate; `picture.svg` draws it. Pure geometry; called by `page`.

Lengths are CSS pixels at the natural size. The same estate is laid out for windows of three widths, so that its letters
are as large as those of the page on both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.operations.graph.words import columns, shortened
from freehold.views.ui.marks import severity
from freehold.views.ui.places import Group, Place, Spot, places

BOX, GAP, PAD = 300, 24, 12
HEAD, LINE, SPOT = 58, 26, 28
MARGIN = 32  # right of services, for the curves between them
DOT, DOTS_BESIDE = 16, (BOX - 2 * PAD) // 16
MOST_SPOTS = 40  # services of one box that are drawn, the worst first; the tables have all
_LETTER = 7.4  # pixels of an average character at 14 pixels
_SMALL = 6.3  # at 12 pixels


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `style` is its class."""

    x: int
    y: int
    text: str
    style: str = ""
    end: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """One of the four marks; its centre. `title` is shown when it is pointed at."""

    x: int
    y: int
    mark: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle; `style` is its class."""

    x: int
    y: int
    width: int
    height: int
    style: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything to draw, in the order in which it is drawn. `edges` are paths from who needs to who is needed, `ends` their dots."""

    width: int
    height: int
    frames: Sequence[Frame]
    edges: Sequence[str]
    ends: Sequence[tuple[int, int]]
    spots: Sequence[Frame]
    texts: Sequence[Text]
    marks: Sequence[Mark]
    globes: Sequence[tuple[int, int]]


def picture(
    document: Mapping[str, Any], beside: int, trust: Callable[[str], str] = str
) -> Picture | None:
    """The estate with at most `beside` boxes side by side; None when there is nothing in it. `trust` puts that of a domain into words."""
    shown = places(document, trust)
    return _Drawing(shown, min(beside, len(shown))).made() if shown else None


class _Drawing:
    def __init__(self, shown: Sequence[Place], beside: int) -> None:
        self._bottoms = [0] * beside
        self._frames: list[Frame] = []
        self._spots: list[Frame] = []
        self._texts: list[Text] = []
        self._marks: list[Mark] = []
        self._globes: list[tuple[int, int]] = []
        self._at: dict[str, Frame] = {}
        self._needs: list[tuple[str, str]] = []
        for place in shown:
            self._place(place)

    def made(self) -> Picture:
        pairs = [(a, b) for a, b in self._needs if a in self._at and b in self._at]
        edges = [_edge(self._at[a], self._at[b]) for a, b in pairs]
        return Picture(
            width=len(self._bottoms) * (BOX + GAP) - GAP,
            height=max(self._bottoms) - GAP,
            frames=self._frames,
            edges=[path for path, _ in edges],
            ends=[end for _, end in edges],
            spots=self._spots,
            texts=self._texts,
            marks=self._marks,
            globes=self._globes,
        )

    def _place(self, place: Place) -> None:
        """A box in the column that ends highest."""
        column = self._bottoms.index(min(self._bottoms))
        left, top = column * (BOX + GAP), self._bottoms[column]
        x, y = left + PAD, top + HEAD
        self._marks.append(Mark(x + 6, top + 20, place.mark))
        self._texts.append(
            Text(x + 20, top + 25, _fit(place.name, BOX - 60, _LETTER * 1.1), "name")
        )
        self._texts.append(Text(x, top + 44, _fit(place.fact, BOX - 2 * PAD, _SMALL), "soft"))
        for group in place.groups:
            y = self._group(group, x, y)
        y = self._dots(place.dots, x, y)
        y = self._spots_of(place.spots, x, y)
        self._frames.append(Frame(left, top, BOX, y - top + PAD // 2, f"box {place.kind}"))
        self._bottoms[column] = y + PAD // 2 + GAP

    def _group(self, group: Group, x: int, y: int) -> int:
        self._marks.append(Mark(x + 6, y + 12, group.mark))
        room = BOX - PAD - MARGIN - 24 - int(len(group.fact) * _SMALL)
        self._texts.append(Text(x + 20, y + 17, _fit(group.name, room, _LETTER)))
        right = x + BOX - PAD - MARGIN
        self._texts.append(Text(right, y + 17, group.fact, "soft", end=True))
        return self._spots_of(group.spots, x + 12, y + LINE)

    def _dots(self, dots: Sequence[tuple[str, str]], x: int, y: int) -> int:
        for number, (name, mark) in enumerate(dots):
            row, column = divmod(number, DOTS_BESIDE)
            self._marks.append(Mark(x + 8 + column * DOT, y + 8 + row * DOT, mark, name))
        rows = -(-len(dots) // DOTS_BESIDE)
        return y + rows * DOT + (PAD // 2 if rows else 0)

    def _spots_of(self, spots: Sequence[Spot], x: int, y: int) -> int:
        shown = spots
        if len(spots) > MOST_SPOTS:
            shown = sorted(spots, key=lambda spot: severity(spot.mark))[:MOST_SPOTS]
        for spot in shown:
            self._spot(spot, x, y)
            y += SPOT + 4
        if len(spots) > MOST_SPOTS:
            self._texts.append(Text(x + 8, y + 17, f"+ {len(spots) - MOST_SPOTS}", "soft"))
            y += LINE
        return y

    def _spot(self, spot: Spot, x: int, y: int) -> None:
        """A service: its mark, its name, the name under which people reach it."""
        width = (x // (BOX + GAP)) * (BOX + GAP) + BOX - MARGIN - x
        frame = Frame(x, y, width, SPOT, "spot")
        self._spots.append(frame)
        self._marks.append(Mark(x + 14, y + SPOT // 2, spot.mark))
        room = width - 40 - (18 if spot.public else 0)
        self._texts.append(Text(x + 28, y + 19, _fit(spot.name, room, _LETTER), "service"))
        left = room - int(columns(spot.name) * _LETTER) - 8
        right = x + width - 10 - (18 if spot.public else 0)
        if spot.host and left > 60:
            self._texts.append(Text(right, y + 18, _fit(spot.host, left, _SMALL), "soft", end=True))
        if spot.public:
            self._globes.append((x + width - 16, y + SPOT // 2))
        self._at[spot.name] = frame
        self._needs += [(spot.name, needed) for needed in spot.needs]


def _edge(source: Frame, target: Frame) -> tuple[str, tuple[int, int]]:
    """From one service to another: in the same column around its right side, else from side to side."""
    y, to = source.y + source.height // 2, target.y + target.height // 2
    if _column(source) == _column(target):
        x, end = source.x + source.width, target.x + target.width
        out = max(x, end) + min(MARGIN, 8 + abs(to - y) // 8)
        return f"M{x} {y} C{out} {y} {out} {to} {end} {to}", (end, to)
    rightwards = source.x < target.x
    x = source.x + source.width if rightwards else source.x
    end = target.x if rightwards else target.x + target.width
    bend = (end - x) // 2
    return f"M{x} {y} C{x + bend} {y} {end - bend} {to} {end} {to}", (end, to)


def _column(frame: Frame) -> int:
    return frame.x // (BOX + GAP)


def _fit(text: str, room: int, letter: float) -> str:
    return shortened(text, max(4, int(room / letter)))


def sizes(
    document: Mapping[str, Any], trust: Callable[[str], str]
) -> Iterator[tuple[str, Picture]]:
    """The same picture for narrow, middling and wide windows, with the class that says which is shown."""
    for name, beside in (("narrow", 1), ("middle", 2), ("wide", 3)):
        made = picture(document, beside, trust)
        if made is not None:
            yield name, made
