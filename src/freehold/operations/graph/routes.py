"""Which way every arrow takes, so that no two lie on each other and none crosses a box. Pure.

Boxes stand in a grid with gutters between them. An arrow leaves its source by the top or the bottom into a gutter,
where it has a lane of its own, changes the row (when it must) in a lane of a gutter between columns, and enters its
target the same way. `layout` gives gutters the room that their lanes need.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from freehold.operations.graph.connections import Connection

Cell = tuple[int, int]
"""Row and column of a box."""


@dataclass(frozen=True, slots=True)
class Port:
    """Where an arrow meets a box: the end's name, at its top or bottom, as number `index` of that side."""

    end: str
    top: bool
    index: int


@dataclass(frozen=True, slots=True)
class Route:
    """The lanes of one arrow: (gutter, lane) of rows at the source and at the target, and between columns.

    `change` is None when source and target lie at the same gutter; `leave` and `enter` are then equal.
    """

    connection: Connection
    source: Port
    target: Port
    leave: tuple[int, int]
    change: tuple[int, int] | None
    enter: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Routes:
    """All arrows, and how many lanes each gutter needs and how many ports each side of a box."""

    routes: tuple[Route, ...]
    row_lanes: Mapping[int, int]
    column_lanes: Mapping[int, int]
    ports: Mapping[tuple[str, bool], int]


def box_of(end: str) -> str:
    """The box where an end of an arrow lies: that of a machine is its domain's."""
    return end.partition("/")[0]


def plan_routes(connections: Sequence[Connection], cells: Mapping[str, Cell]) -> Routes:
    """A route for every arrow between two boxes. Gutter g of rows lies above row g, that of columns left of it."""
    row_lanes: dict[int, int] = defaultdict(int)
    column_lanes: dict[int, int] = defaultdict(int)
    ports: dict[tuple[str, bool], int] = defaultdict(int)
    routes = []

    def lane(lanes: dict[int, int], gutter: int) -> tuple[int, int]:
        lanes[gutter] += 1
        return gutter, lanes[gutter] - 1

    def port(end: str, *, top: bool) -> Port:
        ports[end, top] += 1
        return Port(end, top, ports[end, top] - 1)

    for connection in connections:
        source, target = box_of(connection.source), box_of(connection.target)
        if source == target:
            continue
        out, into = _gutters(cells[source][0], cells[target][0])
        leave = lane(row_lanes, out)
        change = None if out == into else lane(column_lanes, _between(cells[source], cells[target]))
        enter = leave if change is None else lane(row_lanes, into)
        routes.append(
            Route(
                connection=connection,
                source=port(source, top=out == cells[source][0]),
                target=port(target, top=into == cells[target][0]),
                leave=leave,
                change=change,
                enter=enter,
            )
        )
    return Routes(tuple(routes), row_lanes, column_lanes, ports)


def _gutters(source: int, target: int) -> tuple[int, int]:
    """The gutters (of rows) by which an arrow leaves and enters: the nearest ones."""
    if target > source:
        return source + 1, target
    if target < source:
        return source, target + 1
    return source + 1, source + 1


def _between(source: Cell, target: Cell) -> int:
    """The gutter of columns in which an arrow changes its row: the target's side that faces the source."""
    return target[1] if source[1] <= target[1] else target[1] + 1
