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
    DomainBox,
)
from freehold.operations.graph.layout import LEGEND_LINE, MARGIN, Arrow, Box, Layout, Point, lay_out
from freehold.operations.graph.words import (
    domain_facts,
    policy_in_words,
    policy_traffic,
    shortened,
    trust_in_words,
)

_CHARACTER = 6.7  # pixels of an average character at 11 pixels
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_LABEL_COLUMNS = 30
_MARKERS = (
    '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path class="arrow" d="M0 0 L10 5 L0 10 z"/></marker></defs>'
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
    yield _MARKERS
    yield f'<rect class="paper" width="{layout.width}" height="{layout.height}"/>'
    yield _line(MARGIN, 38, title, "title", layout.width - 2 * MARGIN, scale=1.9)
    yield _line(MARGIN, 58, _summary(infra), "soft", layout.width - 2 * MARGIN)
    yield from (_path(points) for points in layout.way_out)
    yield from _outside(layout)
    for box, place in layout.domains:
        yield from _domain(box, place)
    for arrow in layout.arrows:
        yield from _arrow(arrow)
    yield from (_label(arrow) for arrow in layout.arrows)  # above all lines
    yield from _legend(infra, layout)
    yield "</svg>"


def _summary(infra: Infra) -> str:
    machines = len(list(infra.machines()))
    return (
        f"{len(infra.domains)} domains, {machines} machines, {len(infra.policies)} policies; "
        f"networks of {infra.base}"
    )


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


def _domain(box: DomainBox, place: Box) -> Iterator[str]:
    domain = box.domain
    said = f"Domain {domain.name}, {trust_in_words(domain)}, {domain_facts(domain)}"
    room = place.width - 2 * PADDING
    yield f'<g class="domain {domain.trust.value}" role="group" aria-label={_attribute(said)}>'
    yield f"<title>{_text('. '.join(filter(None, (said, domain.description))))}</title>"
    yield (
        f'<rect class="frame" x="{place.x}" y="{place.y}" width="{place.width}" '
        f'height="{place.height}" rx="10"/>'
    )
    x = place.x + PADDING
    yield _line(x, place.y + 26, domain.name, "name", room, scale=1.4)
    yield _line(x, place.y + 44, trust_in_words(domain), "", room)
    yield _line(x, place.y + 60, domain_facts(domain), "soft", room)
    for card in box.cards:
        yield from _machine(card, place)
    if not box.cards:
        yield _line(x, place.y + HEAD + 16, "no machines", "soft", room)
    yield "</g>"


def _machine(card: Card, place: Box) -> Iterator[str]:
    machine = card.machine
    x, y = place.x + card.x, place.y + card.y
    said = f"Machine {machine.key}, {', '.join(card.facts)}"
    room = CARD_WIDTH - 20
    yield f'<g class="machine {machine.type.value}" role="group" aria-label={_attribute(said)}>'
    yield f"<title>{_text('. '.join(filter(None, (said, machine.description))))}</title>"
    yield f'<rect x="{x}" y="{y}" width="{CARD_WIDTH}" height="{card.height}" rx="6"/>'
    yield _line(x + 10, y + 19, machine.name, "machine-name", room, scale=1.15)
    for number, fact in enumerate(card.facts, start=1):
        style = "" if number == 1 else "soft"
        yield _line(x + 10, y + CARD_HEAD - 6 + number * LINE, fact, style, room)
    yield "</g>"


def _arrow(arrow: Arrow) -> Iterator[str]:
    policy = arrow.route.policy
    said = f"Policy {arrow.route.number}: {policy_in_words(policy)}"
    both = ' marker-start="url(#arrow)"' if policy.bidirectional else ""
    yield f'<g class="policy" role="img" aria-label={_attribute(said)}>'
    yield f"<title>{_text(said)}</title>"
    yield f'<path d="{_d(arrow.points)}" marker-end="url(#arrow)"{both}/>'
    yield "</g>"


def _label(arrow: Arrow) -> str:
    """The arrow's number and what passes; who listens to the picture has heard it with the arrow."""
    x, y = arrow.label
    label = shortened(
        f"{arrow.route.number} · {policy_traffic(arrow.route.policy)}", _LABEL_COLUMNS
    )
    anchor = ' text-anchor="end"' if arrow.label_ends else ""
    return f'<text class="label" aria-hidden="true" x="{x}" y="{y}"{anchor}>{_text(label)}</text>'


def _legend(infra: Infra, layout: Layout) -> Iterator[str]:
    y = layout.legend_top
    room = layout.width - 2 * MARGIN
    head = (
        "Policies: what may pass between domains"
        if infra.policies
        else "No policies between domains."
    )
    yield _line(MARGIN, y, head, "machine-name", room, scale=1.15)
    for number, policy in enumerate(infra.policies, start=1):
        y += LEGEND_LINE
        yield _line(MARGIN, y, f"{number} · {policy_in_words(policy)}", "", room)


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
