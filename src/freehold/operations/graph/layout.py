"""Where everything stands in the picture: boxes, arrows, the way out. Pure geometry; called by `svg`."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from freehold.model import Infra
from freehold.operations.graph.boxes import PORT, STUB, Frame, frames, width_for
from freehold.operations.graph.connections import Connection, Kind, connections
from freehold.operations.graph.contents import contents
from freehold.operations.graph.routes import Port, Route, Routes, box_of, plan_routes

MARGIN = 24
TITLE = 72
LANE = 20
GUTTER = 28  # of a gutter without lanes
OUTSIDE_HEIGHT = 56  # of the boxes of the host and the internet
OUTSIDE_WIDTH = 200
BETWEEN = 80  # the host and the internet, at the least
LEGEND_LINE = 20

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the picture."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow; its label starts (or, when `label_ends`, ends) at `label`."""

    route: Route
    points: tuple[Point, ...]
    label: Point
    label_ends: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture. `outside` holds the boxes `host` and `internet`; `way_out` lines that connect domains to it.

    `connections` are all, those within one box too.
    """

    width: int
    height: int
    frames: tuple[tuple[Frame, Box], ...]
    outside: Mapping[str, Box]
    arrows: tuple[Arrow, ...]
    way_out: tuple[tuple[Point, ...], ...]
    connections: tuple[Connection, ...]
    legend_top: int


def lay_out(infra: Infra) -> Layout:
    """Find a place for everything, and the room that the arrows need in between."""
    found = connections(infra)
    arrows = Counter(box_of(end) for each in found for end in (each.source, each.target))
    boxes = frames(contents(infra, _marks(found)), arrows)
    last = max((box.column for box in boxes), default=0)
    cells = {box.name: (box.row, box.column) for box in boxes}
    cells |= {"host": (0, 0), "internet": (0, last)}
    outside = max(OUTSIDE_WIDTH, *(width_for(arrows[name]) for name in ("host", "internet")))
    return _Grid(found, boxes, plan_routes(found, cells), outside).layout()


def legend_lines(found: Sequence[Connection]) -> int:
    """How many lines of text tell the connections, with what stands above each kind."""
    return len(found) + 1 + any(each.kind is Kind.NEED for each in found)


def _marks(found: Sequence[Connection]) -> dict[str, str]:
    """The numbers of the policies that name a machine, for its card."""
    numbers: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"in": [], "out": []})
    for each in found:
        if each.kind is Kind.POLICY:
            numbers[each.source]["out"].append(str(each.number))
            numbers[each.target]["in"].append(str(each.number))
    return {
        key: "policies: " + "; ".join(f"{way} {', '.join(of)}" for way, of in ways.items() if of)
        for key, ways in numbers.items()
    }


class _Grid:
    """The positions of rows, columns and lanes."""

    def __init__(
        self, found: tuple[Connection, ...], boxes: Sequence[Frame], routes: Routes, outside: int
    ) -> None:
        self._connections = found
        self._outside = outside
        self._boxes = boxes
        self._routes = routes
        self._rows = 1 + max((box.row for box in boxes), default=0)
        columns = 1 + max((box.column for box in boxes), default=0)
        heights = [OUTSIDE_HEIGHT] + [
            max(box.height for box in boxes if box.row == row) for row in range(1, self._rows)
        ]
        widths = [
            max((box.width for box in boxes if box.column == column), default=0)
            for column in range(columns)
        ]
        widths[-1] += max(
            0, 2 * outside + BETWEEN - sum(widths)
        )  # the first row needs its room too
        self._gutter_y, self._row_y, self._bottom = _spread(
            TITLE, heights, [self._row_gutter(g) for g in range(self._rows + 1)]
        )
        self._gutter_x, self._column_x, self._right = _spread(
            MARGIN, widths, [self._column_gutter(g) for g in range(columns + 1)]
        )
        self._places = self._place(widths)

    def layout(self) -> Layout:
        legend = legend_lines(self._connections) + 1
        return Layout(
            width=self._right + MARGIN,
            height=self._bottom + legend * LEGEND_LINE + MARGIN,
            frames=tuple((box, self._places[box.name]) for box in self._boxes),
            outside={name: self._places[name] for name in ("host", "internet")},
            arrows=tuple(self._arrow(route) for route in self._routes.routes),
            way_out=tuple(self._way_out()),
            connections=self._connections,
            legend_top=self._bottom + LEGEND_LINE,
        )

    def _row_gutter(self, gutter: int) -> int:
        if gutter == 0:
            return 0
        lanes = self._routes.row_lanes.get(gutter, 0)
        return GUTTER + lanes * LANE + (LANE if gutter < self._rows else 0)  # one for the way out

    def _column_gutter(self, gutter: int) -> int:
        return GUTTER + self._routes.column_lanes.get(gutter, 0) * LANE

    def _place(self, widths: Sequence[int]) -> dict[str, Box]:
        places = {
            box.name: Box(self._column_x[box.column], self._row_y[box.row], box.width, box.height)
            for box in self._boxes
        }
        y = self._row_y[0]
        right = self._column_x[-1] + widths[-1]
        places["host"] = Box(self._column_x[0], y, self._outside, OUTSIDE_HEIGHT)
        places["internet"] = Box(right - self._outside, y, self._outside, OUTSIDE_HEIGHT)
        return places

    def _arrow(self, route: Route) -> Arrow:
        start, end = self._port(route.source), self._port(route.target)
        leave, enter = self._lane_y(route.leave), self._lane_y(route.enter)
        points = [start, (start[0], leave)]
        if route.change is not None:
            gutter, lane = route.change
            x = self._gutter_x[gutter] + GUTTER // 2 + lane * LANE + LANE // 2
            points += [(x, leave), (x, enter)]
        points += [(end[0], enter), end]
        onwards = points[2][0]
        label_ends = onwards < start[0] if onwards != start[0] else start[0] > self._right / 2
        x = start[0] + (-8 if label_ends else 8)
        return Arrow(route, tuple(points), (x, leave - 4), label_ends)

    def _port(self, port: Port) -> Point:
        """Ports are spread over a side; at the top, the left corner is for the way out.

        Those of tops and of bottoms never have the same x: they meet in the gutter between two rows.
        """
        box = self._places[port.end]
        count = self._routes.ports[port.end, port.top]
        left = 2 * STUB
        x = box.x + left + (box.width - left) * (port.index + 1) // (count + 1)
        x = x - x % PORT + (0 if port.top else PORT // 2)
        return x, box.y if port.top else box.y + box.height

    def _lane_y(self, place: tuple[int, int]) -> int:
        gutter, lane = place
        return self._gutter_y[gutter] + GUTTER // 2 + lane * LANE + LANE // 2

    def _way_out(self) -> list[tuple[Point, ...]]:
        """A trunk from the host down the left margin, a bar above each row, a stub to each domain."""
        trunk = self._gutter_x[0] + GUTTER // 2 - 4
        host, internet = self._places["host"], self._places["internet"]
        middle = host.y + host.height // 2
        lines: list[tuple[Point, ...]] = [
            ((host.x + host.width, middle), (internet.x, middle)),
        ]
        led = [box for box in self._boxes if box.content.leads_out]
        bars = {row: self._row_y[row] - LANE // 2 - 4 for row in sorted({box.row for box in led})}
        if bars:
            lines.append(((host.x, middle), (trunk, middle), (trunk, max(bars.values()))))
        for row, y in bars.items():
            stubs = [self._places[box.name] for box in led if box.row == row]
            lines.append(((trunk, y), (max(box.x for box in stubs) + STUB, y)))
            lines += [((box.x + STUB, y), (box.x + STUB, box.y)) for box in stubs]
        return lines


def _spread(
    start: int, sizes: Sequence[int], gutters: Sequence[int]
) -> tuple[list[int], list[int], int]:
    """Where each gutter begins, where each row (or column) begins, and where the last gutter ends."""
    gutter_starts, starts = [], []
    position = start
    for gutter, size in zip(gutters, sizes, strict=False):
        gutter_starts.append(position)
        position += gutter
        starts.append(position)
        position += size
    gutter_starts.append(position)
    return gutter_starts, starts, position + gutters[-1]
