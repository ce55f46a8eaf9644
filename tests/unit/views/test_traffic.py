"""What a traffic report looks like: the matrix, what differs, what was not measured; as text, JSON and HTML."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import StringIO

from freehold.operations.traffic.check import Check, Kind, Result, TrafficReport
from freehold.views.traffic import render_traffic, traffic_document
from freehold.views.traffic_html import traffic_page


def result(
    source: str,
    target: str,
    kind: Kind,
    port: int | None,
    because: str | None,
    arrived: bool | None,
    remark: str = "",
    forged: str | None = None,
    gateway_of: str | None = None,
) -> Result:
    check = Check(
        source=source,
        target=target,
        kind=kind,
        address="10.100.2.10",
        port=port,
        because=because,
        forged=forged,
        gateway_of=gateway_of,
    )
    return Result(check, arrived, remark)


DECLARED = (
    result("home/desk", "lodge/till", Kind.TCP, 80, "policy 1: till", True),
    result("home/desk", "lodge/till", Kind.ICMP, None, None, False),
    result("lodge/till", "home/desk", Kind.TCP, 80, None, False),
    result("home/desk", "host", Kind.DNS, 53, "names", True, gateway_of="home"),
)
LEAKS = (
    result("lodge/till", "home/desk", Kind.UDP, 47123, None, True),
    result("lodge/till", "home/desk", Kind.SPOOFED, 47123, None, True, forged="10.100.0.10"),
    result("home/desk", "host", Kind.TCP, 22, None, True, gateway_of="lodge"),
    result(
        "home/desk",
        "lodge/till",
        Kind.UDP,
        53,
        "policy 2",
        False,
        "it arrived, but no answer came back",
    ),
)
UNKNOWN = (
    result("home/desk", "internet", Kind.TCP, 53, "out", None, "no address outside is known"),
    result("lodge/till", "internet", Kind.TCP, 53, "out", None, "no address outside is known"),
)


def report(*results: Result, estate: str = "cottage", machines: int = 2) -> TrafficReport:
    names = ["home/desk", "lodge/till", *(f"mill/m{n}" for n in range(machines - 2))]
    return TrafficReport(
        estate=estate,
        machines=tuple(names),
        results=results,
        outside="203.0.113.9:53",
        notes=("Nothing was sent from the outside.",),
        seconds=2.04,
    )


def text(of: TrafficReport) -> str:
    stream = StringIO()
    render_traffic(of, stream)
    return stream.getvalue()


def rows(of: TrafficReport) -> dict[str, list[str]]:
    lines = text(of).split("\n\n")[0].splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_a_cell_says_what_passes() -> None:
    found = rows(report(*DECLARED))
    assert found["from"] == ["\\", "to", "home/desk", "lodge/till", "host"]
    assert found["home/desk"] == ["part", "all"]
    assert found["lodge/till"] == ["none"]


def test_what_differs_is_marked_in_its_cell_and_told_by_pair() -> None:
    found = report(*DECLARED, *LEAKS)
    assert rows(found)["lodge/till"] == ["part!"]
    told = " ".join(text(found).split())
    assert (
        "lodge/till → home/desk: udp 47123, udp from 10.100.0.10 (forged): passes, and must not"
        in told
    )
    assert (
        "home/desk → host (10.100.2.10, the gateway of lodge): tcp 22: passes, and must not" in told
    )
    assert (
        "home/desk → lodge/till: udp 53 (it arrived, but no answer came back): does not pass, and "
        "should (policy 2)" in told
    )


def test_the_last_line_counts_and_what_was_not_measured_is_no_success() -> None:
    found = report(*DECLARED, *UNKNOWN)
    told = text(found)
    assert told.splitlines()[-1] == (
        "Traffic: 4 checks as declared, 0 different, 2 not measured in 2.0 s."
    )
    assert "  no address outside is known (2 checks)\n" in told
    assert rows(found)["lodge/till"] == ["none", "?"]
    assert "Different" not in told


def test_many_machines_are_shown_by_domain() -> None:
    found = rows(report(*DECLARED, machines=30))
    assert found["from"] == ["\\", "to", "home", "lodge", "host"]


def test_many_differences_are_cut_and_counted() -> None:
    many = [result(f"mill/m{n}", "home/desk", Kind.ICMP, None, None, True) for n in range(50)]
    assert "  and 10 more; --json and --report tell all\n" in text(report(*many))


def test_the_document_has_every_check() -> None:
    document = json.loads(json.dumps(traffic_document(report(*DECLARED, *LEAKS, *UNKNOWN))))
    assert (document["schema"], document["kind"]) == (1, "traffic")
    assert document["as_declared"] is False
    assert document["summary"] == {"as_declared": 4, "different": 4, "not_measured": 2}
    assert document["checks"][5] == {
        "from": "lodge/till",
        "to": "home/desk",
        "how": "spoofed",
        "address": "10.100.2.10",
        "port": 47123,
        "gateway_of": None,
        "forged": "10.100.0.10",
        "declared": "closed",
        "because": None,
        "measured": "open",
        "result": "different",
        "remark": "",
    }
    assert document["checks"][-1]["measured"] is None
    assert document["checks"][-1]["result"] == "not-measured"


class _Page(HTMLParser):
    """Collects the tags, and the text of the table's cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href", "onclick", "onload")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(page: str) -> _Page:
    reader = _Page()
    reader.feed(page)
    return reader


def test_the_page_stands_alone_and_shows_everything() -> None:
    page = traffic_page(report(*DECLARED, *LEAKS, *UNKNOWN), datetime(2026, 3, 1, tzinfo=UTC))
    read = parsed(page)
    assert read.loads == []
    assert not {"script", "link", "img", "iframe"} & read.tags
    words = " ".join(read.words)
    assert "on 2026-03-01 00:00 UTC; 203.0.113.9:53 stood for the internet" in words
    assert "Traffic: 4 checks as declared, 4 different, 2 not measured in 2.0 s." in words
    assert "10 checks" in words
    assert words.count("not measured") > 2


def test_no_text_of_a_machine_becomes_part_of_the_page_or_of_the_terminal() -> None:
    evil = "<script>alert(1)</script>\x1b[2J\"' onload="
    found = report(result("home/desk", "host", Kind.TCP, 1, evil, None, evil), estate=evil)
    assert "script" not in parsed(traffic_page(found)).tags
    assert parsed(traffic_page(found)).loads == []
    assert "\x1b" not in traffic_page(found)
    assert "\x1b" not in text(found)
