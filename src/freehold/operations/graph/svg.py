"""The picture as SVG 1.1: `layout` says where, this says how. Every text is escaped; colours follow the reader's scheme.

Called by `cli.graph` through the package. Nothing is fetched when the picture is shown: the style is inside.
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from xml.sax.saxutils import escape, quoteattr

from freehold.model import Infra
from freehold.operations.graph.boxes import (
    CARD_HEAD,
    CARD_WIDTH,
    HEAD,
    LINE,
    PADDING,
    Card,
    Frame,
)
from freehold.operations.graph.connections import Kind
from freehold.operations.graph.layout import LEGEND_LINE, MARGIN, Arrow, Box, Layout, Point, lay_out
from freehold.operations.graph.words import shortened

_CHARACTER = 6.7  # pixels of an average character at 11 pixels
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_LABEL_COLUMNS = 30
_MARKER = (
    '<marker id="{0}-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path class="{0}-arrow" d="M0 0 L10 5 L0 10 z"/></marker>'
)
_NAMES = {Kind.POLICY: "Policy", Kind.NEED: "Need"}
_LEGEND = (
    (Kind.POLICY, "Policies: what may pass between domains", "No policies between domains."),
    (Kind.NEED, "Needs: what services use on other computers", ""),
)


def svg(infra: Infra) -> str:
    """The estate as the text of an SVG file."""
    layout = lay_out(infra)
    return "\n".join(_document(infra, layout)) + "\n"


def _document(infra: Infra, layout: Layout) -> Iterator[str]:
    title = f"The estate {infra.name}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width} {layout.height}" '
        f'width="{layout.width}" height="{layout.height}" role="img" aria-labelledby="title summary">'
    )
    yield f'<title id="title">{_text(title)}</title>'
    yield f'<desc id="summary">{_text(_summary(infra))}</desc>'
    yield f"<style>{_style()}</style>"
    yield f"<defs>{''.join(map(_MARKER.format, Kind))}</defs>"
    yield f'<rect class="paper" width="{layout.width}" height="{layout.height}"/>'
    yield _line(MARGIN, 38, title, "title", layout.width - 2 * MARGIN, scale=1.9)
    yield _line(MARGIN, 58, _summary(infra), "soft", layout.width - 2 * MARGIN)
    yield from (_path(points) for points in layout.way_out)
    yield from _outside(layout)
    for frame, place in layout.frames:
        yield from _frame(frame, place)
    for arrow in layout.arrows:
        yield from _arrow(arrow)
    yield from (_label(arrow) for arrow in layout.arrows)  # above all lines
    yield from _legend(layout)
    yield "</svg>"


def _summary(infra: Infra) -> str:
    machines = len(list(infra.machines()))
    counted = [f"{len(infra.domains)} domains", f"{machines} machines"]
    counted += [f"{len(infra.policies)} policies"]
    counted += [f"{len(infra.hosts)} hosts"] if infra.hosts else []
    counted += [f"{len(infra.services)} services"] if infra.services else []
    return f"{', '.join(counted)}; networks of {infra.base}"


def _outside(layout: Layout) -> Iterator[str]:
    texts = {
        "host": ("This computer", "routes and masquerades"),
        "internet": ("The internet", "the way out of every domain"),
    }
    for name, box in layout.outside.items():
        first, second = texts[name]
        yield f'<g class="outside" role="group" aria-label={_attribute(f"{first}: {second}")}>'
        yield f"<title>{_text(first)}</title>"
        yield f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="8"/>'
        yield _line(box.x + PADDING, box.y + 24, first, "name", box.width - PADDING, scale=1.4)
        yield _line(box.x + PADDING, box.y + 42, second, "soft", box.width - PADDING)
        yield "</g>"


def _frame(frame: Frame, place: Box) -> Iterator[str]:
    content = frame.content
    room = place.width - 2 * PADDING
    yield f'<g class="{content.style}" role="group" aria-label={_attribute(content.said)}>'
    yield f"<title>{_text('. '.join(filter(None, (content.said, content.description))))}</title>"
    yield (
        f'<rect class="frame" x="{place.x}" y="{place.y}" width="{place.width}" '
        f'height="{place.height}" rx="10"/>'
    )
    x = place.x + PADDING
    yield _line(x, place.y + 26, content.name, "name", room, scale=1.4)
    yield _line(x, place.y + 44, content.lines[0], "", room)
    yield _line(x, place.y + 60, content.lines[1], "soft", room)
    for card in frame.cards:
        yield from _card(card, place)
    if not frame.cards:
        yield _line(x, place.y + HEAD + 16, content.empty, "soft", room)
    yield "</g>"


def _card(card: Card, place: Box) -> Iterator[str]:
    entry = card.entry
    x, y = place.x + card.x, place.y + card.y
    room = CARD_WIDTH - 20
    yield f'<g class="{entry.style}" role="group" aria-label={_attribute(entry.said)}>'
    yield f"<title>{_text('. '.join(filter(None, (entry.said, entry.description))))}</title>"
    yield f'<rect x="{x}" y="{y}" width="{CARD_WIDTH}" height="{card.height}" rx="6"/>'
    yield _line(x + 10, y + 19, entry.title, "machine-name", room, scale=1.15)
    for number, fact in enumerate(entry.facts, start=1):
        style = "" if number == 1 else "soft"
        yield _line(x + 10, y + CARD_HEAD - 6 + number * LINE, fact, style, room)
    yield "</g>"


def _arrow(arrow: Arrow) -> Iterator[str]:
    connection = arrow.route.connection
    said = f"{_NAMES[connection.kind]} {connection.number}: {connection.words}"
    head = f"url(#{connection.kind.value}-arrow)"
    both = f' marker-start="{head}"' if connection.bidirectional else ""
    yield f'<g class="{connection.kind.value}" role="img" aria-label={_attribute(said)}>'
    yield f"<title>{_text(said)}</title>"
    yield f'<path d="{_d(arrow.points)}" marker-end="{head}"{both}/>'
    yield "</g>"


def _label(arrow: Arrow) -> str:
    """The arrow's number and what passes; who listens to the picture has heard it with the arrow."""
    x, y = arrow.label
    connection = arrow.route.connection
    label = shortened(f"{connection.number} · {connection.traffic}", _LABEL_COLUMNS)
    anchor = ' text-anchor="end"' if arrow.label_ends else ""
    return f'<text class="label" aria-hidden="true" x="{x}" y="{y}"{anchor}>{_text(label)}</text>'


def _legend(layout: Layout) -> Iterator[str]:
    y = layout.legend_top
    room = layout.width - 2 * MARGIN
    for kind, head, none in _LEGEND:
        found = [each for each in layout.connections if each.kind is kind]
        if not found and not none:
            continue
        yield _line(MARGIN, y, head if found else none, "machine-name", room, scale=1.15)
        for each in found:
            y += LEGEND_LINE
            yield _line(MARGIN, y, f"{each.number} · {each.words}", "", room)
        y += LEGEND_LINE


def _line(x: int, y: int, text: str, style: str, room: int, scale: float = 1.0) -> str:
    """One line of text, cut where it would leave its room."""
    shown = _text(shortened(text, int(room / (_CHARACTER * scale))))
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x}" y="{y}">{shown}</text>'


def _path(points: tuple[Point, ...]) -> str:
    return f'<path class="way-out" d="{_d(points)}"/>'


def _d(points: tuple[Point, ...]) -> str:
    return " ".join(f"{'L' if number else 'M'}{x} {y}" for number, (x, y) in enumerate(points))


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))


def _style() -> str:
    return files("freehold.operations.graph").joinpath("style.css").read_text(encoding="utf-8")
