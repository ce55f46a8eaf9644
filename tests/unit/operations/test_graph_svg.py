"""The picture of an estate: well-formed, complete, and nothing lies on anything else, whatever the estate."""

import re
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from freehold.model import Infra, Policy
from freehold.operations.graph import svg
from tests.unit.operations.estates import domain, estate, host, policy, service

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Rectangle:
    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: "Rectangle") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def holds(self, other: "Rectangle") -> bool:
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


def picture(infra: Infra) -> ET.Element:
    return ET.fromstring(svg(infra))


def groups(root: ET.Element, kind: str) -> list[ET.Element]:
    return [g for g in root.iter(f"{SVG}g") if g.get("class", "").split()[0] == kind]


def rectangle(group: ET.Element) -> Rectangle:
    found = group.find(f"{SVG}rect")
    assert found is not None
    x, y, width, height = (int(found.get(key, "")) for key in ("x", "y", "width", "height"))
    return Rectangle(x, y, x + width, y + height)


def segments(path: ET.Element) -> list[Rectangle]:
    """The straight pieces of a line, as rectangles without width or without height."""
    points = [(int(x), int(y)) for x, y in re.findall(r"[ML](\d+) (\d+)", path.get("d", ""))]
    return [
        Rectangle(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
        for a, b in pairwise(points)
    ]


def lie_on_each_other(one: Rectangle, other: Rectangle) -> bool:
    """Whether two pieces share more than a crossing."""
    if one.left == one.right == other.left == other.right:
        return one.top < other.bottom and other.top < one.bottom
    if one.top == one.bottom == other.top == other.bottom:
        return one.left < other.right and other.left < one.right
    return False


def texts(root: ET.Element) -> str:
    return "\n".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))


@st.composite
def estates(draw: st.DrawFn) -> Infra:
    sizes = draw(st.lists(st.integers(0, 12), min_size=0, max_size=12))
    ends = [f"d{number}" for number in range(len(sizes))] + ["host", "internet"]
    ends += [f"d{number}/m0" for number, size in enumerate(sizes) if size]
    pairs = st.tuples(st.sampled_from(ends), st.sampled_from(ends))
    chosen = draw(st.lists(pairs, max_size=20)) * draw(st.sampled_from([1, 1, 1, 4]))
    infra = estate(sizes, tuple(policy(a, b) for a, b in chosen))
    hosts = tuple(host(number) for number in range(draw(st.integers(0, 5))))
    targets = [each.key for each in hosts] + [each.key for each in infra.machines()]
    placed = draw(st.lists(st.sampled_from(targets), max_size=12)) if targets else []
    names = [f"s{number}" for number in range(len(placed))]
    needed = st.lists(st.sampled_from(names), max_size=3) if names else st.just([])
    services = tuple(service(*each, *draw(needed)) for each in zip(names, placed, strict=True))
    return replace(infra, hosts=hosts, services=services)


@given(estates())
def test_nothing_lies_on_anything_else(infra: Infra) -> None:
    root = picture(infra)
    everything = Rectangle(0, 0, *(int(root.get(key, "")) for key in ("width", "height")))
    drawn = groups(root, "domain") + groups(root, "computer")
    frames = [rectangle(g) for g in drawn + groups(root, "outside")]
    assert not any(a.overlaps(b) for a, b in combinations(frames, 2))
    assert all(everything.holds(frame) for frame in frames)
    for group in drawn:
        cards = [rectangle(g) for g in groups(group, "machine") + groups(group, "service")]
        assert not any(a.overlaps(b) for a, b in combinations(cards, 2))
        assert all(rectangle(group).holds(card) for card in cards)
    arrows = [
        piece
        for group in groups(root, "policy") + groups(root, "need")
        for path in group.iter(f"{SVG}path")
        for piece in segments(path)
    ]
    assert all(everything.holds(piece) for piece in arrows)
    assert not any(piece.overlaps(frame) for piece in arrows for frame in frames)
    assert not any(lie_on_each_other(a, b) for a, b in combinations(arrows, 2))


@given(estates())
def test_everything_is_drawn_once(infra: Infra) -> None:
    root = picture(infra)
    assert len(groups(root, "domain")) == len(infra.domains)
    assert len(groups(root, "machine")) == len(list(infra.machines()))
    between = [p for p in infra.policies if p.source.split("/")[0] != p.target.split("/")[0]]
    assert len(groups(root, "policy")) == len(between)
    assert len(groups(root, "computer")) == len(infra.hosts)
    on_hosts = [each for each in infra.services if infra.host(each.target)]
    assert len(groups(root, "service")) == len(on_hosts)
    shown = texts(root)
    for each in infra.services:
        assert f"{each.name}: store 17.6" in shown or each in on_hosts
        for other in each.needs.values():
            needed = infra.service(other)
            assert needed is not None
            told = f"{each.name} on {each.target} needs {other} on {needed.target}: tcp 5432"
            assert (told in shown) == (needed.target != each.target)


def test_arrows_join_the_boxes_of_their_ends() -> None:
    ends = [("d0", "d3/m1"), ("d2", "d1"), ("host", "d4"), ("d4", "internet"), ("d1", "d2")]
    root = picture(estate([2] * 5, tuple(policy(a, b) for a, b in ends)))
    boxes = {
        "host": rectangle(groups(root, "outside")[0]),
        "internet": rectangle(groups(root, "outside")[1]),
    }
    for group in groups(root, "domain"):
        name = group.findall(f"{SVG}text")[0].text or ""
        boxes[name] = rectangle(group)
    for (source, target), group in zip(ends, groups(root, "policy"), strict=True):
        path = group.find(f"{SVG}path")
        assert path is not None
        points = [(int(x), int(y)) for x, y in re.findall(r"[ML](\d+) (\d+)", path.get("d", ""))]
        for (x, y), end in ((points[0], source), (points[-1], target)):
            box = boxes[end.split("/")[0]]
            assert box.left < x < box.right
            assert y in (box.top, box.bottom)


def test_thirty_domains_of_twenty_machines_have_a_readable_shape() -> None:
    root = picture(estate([20] * 30))
    width, height = (int(root.get(key, "")) for key in ("width", "height"))
    assert 0.5 < width / height < 3
    assert len(groups(root, "machine")) == 600


def test_it_says_what_somebody_wants_to_know() -> None:
    shown = texts(picture(estate([1, 1], (policy("d0", "d1/m0", "backups"),))))
    for fact in (
        "admin: may reach every domain",
        "10.100.1.0/24 · net-d1",
        "container · debian/13",
        "address allocated at apply",
        "protected",
        "other at /srv",
        "1 · tcp 80, 8000-8100",
        "1 · d0 → d1/m0: tcp 80, 8000-8100 (backups)",
        "policies: in 1",
    ):
        assert fact in shown


PLACED = replace(
    estate([1]),
    hosts=(host(0),),
    services=(
        service("db", "h0", published=15432),
        service("node", "h0", by_role=True),
        service("web", "d0/m0", "db", "cache"),
        service("cache", "d0/m0"),
    ),
)


def test_it_says_what_runs_where_and_needs_what() -> None:
    shown = texts(picture(PLACED)).splitlines()
    for line in (
        "1 domains, 1 machines, 0 policies, 1 hosts, 4 services; networks of 10.100.0.0/16",
        "host · amd64",
        "orion@203.0.113.20, port 2222",
        "store 17.6",
        "open: tcp 15432",
        "store 17.6 · by its role",
        "service web: store 17.6",
        "↳ needs: db, cache",
        "Needs: what services use on other computers",
        "1 · web on d0/m0 needs db on h0: tcp 15432",
    ):
        assert line in shown


def test_a_host_has_no_way_out_through_this_computer() -> None:
    lines = [path for path in picture(PLACED).iter(f"{SVG}path") if path.get("class") == "way-out"]
    ends = {re.findall(r"(\d+) (\d+)", path.get("d", ""))[-1] for path in lines}
    tops = {g.find(f"{SVG}rect"): g.get("class") for g in picture(PLACED).iter(f"{SVG}g")}
    corners = {
        (str(int(box.get("x", "")) + 20), box.get("y", "")): kind
        for box, kind in tops.items()
        if box is not None
    }
    assert [corners[end] for end in ends if end in corners] == ["domain admin"]


def test_what_a_user_writes_is_shown_and_never_obeyed() -> None:
    hostile = '<script>alert("&")</script>\x07 \'"]]>'
    infra = replace(
        estate([1], (policy("d0", "internet", hostile),)), domains=(domain(0, 1, hostile),)
    )
    root = picture(infra)  # raises when it is not well-formed
    assert not list(root.iter(f"{SVG}script"))
    assert '<script>alert("&")</script>' in texts(root)


def test_everything_has_a_title_and_a_label_for_who_does_not_see() -> None:
    root = picture(replace(PLACED, policies=(policy("d0", "internet"),)))
    assert root.get("role") == "img"
    for kind in ("domain", "machine", "policy", "outside", "computer", "service", "need"):
        assert groups(root, kind)
        for group in groups(root, kind):
            assert group.get("aria-label")
            assert group.find(f"{SVG}title") is not None


def test_an_arrow_in_both_directions_has_two_heads() -> None:
    def heads(of: Policy) -> int:
        path = groups(picture(estate([1, 1], (of,))), "policy")[0].find(f"{SVG}path")
        assert path is not None
        return sum(path.get(key) is not None for key in ("marker-start", "marker-end"))

    assert heads(policy("d0", "d1")) == 1
    assert heads(policy("d0", "d1", bidirectional=True)) == 2


def test_an_estate_without_domains_is_a_picture_too() -> None:
    assert "0 domains" in texts(picture(estate([])))
