"""A traffic report as one HTML page: no script, nothing loaded from elsewhere. Called by `cli.verify` for --report.

Names and remarks come from infra.yml and from machines: all text is escaped, and the page forbids scripts besides.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from freehold import __version__
from freehold.operations.traffic.check import Result, TrafficReport, Verdict
from freehold.views.terminal import visible
from freehold.views.traffic import total
from freehold.views.traffic_matrix import (
    LEGEND,
    Cell,
    Matrix,
    differences,
    matrix,
    target_name,
    tried,
    unmeasured,
)
from freehold.views.words import count

MOST_COLUMNS = 40
_CLASSES = {
    Verdict.AS_DECLARED: "good",
    Verdict.DIFFERENT: "bad",
    Verdict.NOT_MEASURED: "unknown",
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
th, td { border: 1px solid #8886; padding: .25rem .6rem; text-align: left; vertical-align: top }
thead th { position: sticky; top: 0; background: Canvas }
.good { background: #2a92 } .bad { background: #d228; font-weight: bold } .unknown { background: #e922 }
.total { font-size: 1.2rem; padding: .5rem .8rem }
"""


def traffic_page(report: TrafficReport, now: datetime | None = None) -> str:
    """The page; `now` is when the report was made."""
    at = now or datetime.now(UTC)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Traffic of {_text(report.estate)}</title><style>{_STYLE}</style></head><body>",
            *_body(report, at),
            "</body></html>\n",
        ]
    )


def _body(report: TrafficReport, at: datetime) -> Iterator[str]:
    kind = _CLASSES[Verdict.AS_DECLARED if report.as_declared else Verdict.DIFFERENT]
    outside = f"; {_text(report.outside)} stood for the internet" if report.outside else ""
    yield f"<h1>Traffic of {_text(report.estate)}</h1>"
    yield f'<p class="total {kind}">{_text(total(report))}</p>'
    yield f"<p>Sent by Freehold {_text(__version__)} on {at:%Y-%m-%d %H:%M} UTC{outside}.</p>"
    yield "<h2>From × to</h2>"
    yield from _matrix(matrix(report, MOST_COLUMNS))
    yield f"<p>{_text(LEGEND)}</p>"
    yield from _list("Different from infra.yml", list(differences(report)))
    reasons = [f"{why} ({count(number, 'check')})" for why, number in unmeasured(report)]
    yield from _list("Not measured", reasons)
    yield from _list("Left out", report.notes)
    yield "<h2>Every check</h2>"
    yield from _checks(report)


def _matrix(table: Matrix) -> Iterator[str]:
    yield "<table><thead><tr><th>from \\ to</th>"
    yield "".join(f'<th scope="col">{_text(target)}</th>' for target in table.targets)
    yield "</tr></thead><tbody>"
    for source in table.sources:
        cells = (_cell(table.cells.get((source, target))) for target in table.targets)
        yield f'<tr><th scope="row">{_text(source)}</th>{"".join(cells)}</tr>'
    yield "</tbody></table>"


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "<td></td>"
    passed = [tried(result.check) for result in cell.results if result.arrived]
    title = f"passed: {', '.join(passed)}" if passed else "nothing passed"
    return f'<td class="{_CLASSES[cell.verdict]}" title="{_text(title)}">{_text(cell.word)}</td>'


def _list(title: str, lines: list[str] | tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield f"<h2>{title}</h2><ul>"
        yield from (f"<li>{_text(line)}</li>" for line in lines)
        yield "</ul>"


def _checks(report: TrafficReport) -> Iterator[str]:
    heads = ("from", "to", "sent", "infra.yml", "measured", "result", "why")
    yield f"<details><summary>{count(len(report.results), 'check')}</summary><table><thead><tr>"
    yield "".join(f'<th scope="col">{head}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    yield from map(_row, report.results)
    yield "</tbody></table></details>"


def _row(result: Result) -> str:
    check = result.check
    measured = "?" if result.arrived is None else "passed" if result.arrived else "blocked"
    cells = (
        check.source,
        target_name(check),
        tried(check),
        "open" if check.because else "closed",
        measured,
        result.verdict.value,
        "; ".join(filter(None, (check.because, result.remark))),
    )
    inner = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
    return f'<tr class="{_CLASSES[result.verdict]}">{inner}</tr>'


def _text(of: str) -> str:
    return escape(visible(of))
