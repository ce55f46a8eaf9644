"""What `freehold verify --traffic` found, for people and as JSON. Called by `cli.verify`; the HTML page is `traffic_html`."""

from collections.abc import Iterator
from typing import Any, TextIO

from freehold.operations.traffic.check import TrafficReport, Verdict
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, Style, visible
from freehold.views.traffic_matrix import LEGEND, Cell, differences, matrix, unmeasured
from freehold.views.words import count, duration

MOST_LINES = 40
_STYLES = {
    Verdict.AS_DECLARED: Style.GREEN,
    Verdict.DIFFERENT: Style.ALARM,
    Verdict.NOT_MEASURED: Style.CAUTION,
}


def traffic_document(report: TrafficReport) -> dict[str, Any]:
    """As `verify --traffic --json` has it under `traffic`."""
    return {
        "schema": 1,
        "kind": "traffic",
        "estate": report.estate,
        "as_declared": report.as_declared,
        "seconds": round(report.seconds, 3),
        "machines": list(report.machines),
        "outside": report.outside,
        "notes": list(report.notes),
        "summary": {
            "as_declared": report.count(Verdict.AS_DECLARED),
            "different": report.count(Verdict.DIFFERENT),
            "not_measured": report.count(Verdict.NOT_MEASURED),
        },
        "checks": list(_checks(report)),
    }


def _checks(report: TrafficReport) -> Iterator[dict[str, Any]]:
    for result in report.results:
        check = result.check
        yield {
            "from": check.source,
            "to": check.target,
            "how": check.kind.value,
            "address": check.address or None,
            "port": check.port,
            "gateway_of": check.gateway_of,
            "forged": check.forged,
            "declared": "open" if check.because else "closed",
            "because": check.because,
            "measured": None if result.arrived is None else "open" if result.arrived else "closed",
            "result": result.verdict.value.replace(" ", "-"),
            "remark": result.remark,
        }


def render_traffic(report: TrafficReport, stream: TextIO) -> None:
    """The matrix, what differs, what was not measured; the last line counts."""
    paper = Paper(stream)
    for line in _matrix_lines(report, paper):
        paper.line(line)
    paper.line()
    _section(paper, "Different from infra.yml:", list(differences(report)), Style.ALARM)
    reasons = [f"{why} ({count(n, 'check')})" for why, n in unmeasured(report)]
    _section(paper, "Not measured:", reasons, Style.CAUTION)
    _section(paper, "Left out:", list(report.notes), Style.DIM)
    worst = Verdict.AS_DECLARED if report.as_declared else Verdict.DIFFERENT
    paper.line(paper.paint(total(report), _STYLES[worst]))


def total(report: TrafficReport) -> str:
    """The last line."""
    return (
        f"Traffic: {report.count(Verdict.AS_DECLARED)} checks as declared, "
        f"{report.count(Verdict.DIFFERENT)} different, "
        f"{report.count(Verdict.NOT_MEASURED)} not measured in {duration(report.seconds)}."
    )


def _matrix_lines(report: TrafficReport, paper: Paper) -> Iterator[str]:
    table = matrix(report)
    heads = [Column("from \\ to"), *(Column(visible(name)) for name in table.targets)]
    rows = [
        [visible(source), *(_word(table.cells.get((source, target))) for target in table.targets)]
        for source in table.sources
    ]
    yield from table_lines(heads, rows, paper)
    yield ""
    yield from paper.wrapped(LEGEND)


def _word(cell: Cell | None) -> str:
    return cell.word if cell is not None else ""


def _section(paper: Paper, title: str, lines: list[str], style: Style) -> None:
    if not lines:
        return
    paper.line(paper.paint(title, style))
    for text in lines[:MOST_LINES]:
        for line in paper.wrapped(visible(text), "  ", "    "):
            paper.line(line)
    if len(lines) > MOST_LINES:
        paper.line(f"  and {len(lines) - MOST_LINES} more; --json and --report tell all")
    paper.line()
