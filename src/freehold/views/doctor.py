"""What the doctor found, for people and as JSON. Called by `cli.doctor`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TextIO

from freehold.operations.doctor import CheckResult, Result
from freehold.views.terminal import Paper, Style, on_one_line, visible
from freehold.views.words import count

_STYLES = {
    Result.OK: Style.GREEN,
    Result.WARNING: Style.CAUTION,
    Result.ERROR: Style.ALARM,
    Result.NOT_MEASURED: Style.DIM,
}
_RESULT_WIDTH = max(len(result) for result in Result) + 2


def doctor_document(results: Sequence[CheckResult]) -> dict[str, Any]:
    """As in the contract of `doctor --json`."""
    return {
        "schema": 1,
        "kind": "doctor",
        "checks": [
            {
                "name": result.name,
                "result": result.finding.result.value,
                "detail": result.finding.detail,
                "remedy": result.finding.remedy,
            }
            for result in results
        ],
    }


def render_doctor(results: Sequence[CheckResult], stream: TextIO) -> None:
    """A line for each check, below it what to do; the last line counts."""
    paper = Paper(stream)
    width = max((len(result.name) for result in results), default=0) + 2
    for result in results:
        _render(result, width, paper)
    paper.line()
    paper.line(_total(results))


def _render(result: CheckResult, width: int, paper: Paper) -> None:
    finding = result.finding
    head = f"{finding.result.value:<{_RESULT_WIDTH}}"
    indent = " " * (_RESULT_WIDTH + width)
    lines = list(
        paper.wrapped(on_one_line(finding.detail), f"{head}{result.name:<{width}}", indent)
    )
    lines[0] = paper.paint(head, _STYLES[finding.result]) + lines[0][_RESULT_WIDTH:]
    for line in lines:
        paper.line(line)
    first = f"{indent}remedy: "
    for text in (finding.remedy or "").splitlines():
        if text.startswith(" "):  # a command to copy stays on one line
            paper.line(indent + visible(text))
        else:
            for line in paper.wrapped(visible(text), first, indent):
                paper.line(line)
        first = indent


def _total(results: Sequence[CheckResult]) -> str:
    found = Counter(result.finding.result for result in results)
    parts = [
        f"{found[Result.OK]} ok",
        count(found[Result.WARNING], "warning"),
        count(found[Result.ERROR], "error"),
        f"{found[Result.NOT_MEASURED]} not measured",
    ]
    return f"{count(len(results), 'check')}: {', '.join(parts)}."
