"""How a run ended, for people. Called by `cli` after apply, destroy and `orphans --prune`."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TextIO

from freehold.engine.execute import Outcome, Status
from freehold.engine.run import RunResult
from freehold.planning.change import Action
from freehold.views.diagnostics import diagnostic_lines
from freehold.views.terminal import Paper, Style, visible
from freehold.views.words import count, duration, listed, resource

_MOST_LISTED = 30


def render_result(
    result: RunResult, stream: TextIO, *, estate: str, seconds: float, command: str = "freehold"
) -> None:
    """Write what went wrong, what was left out and why, how to go on, and the counts as the last line.

    `command` is how the user called Freehold: hints name commands that way.
    """
    paper = Paper(stream)
    for outcome in result.of(Status.FAILED):
        _write(paper, _failure(paper, outcome, command))
    for diagnostic in result.unsettled:
        _write(paper, diagnostic_lines(diagnostic, paper, command=command))
        paper.line()
    _write(paper, _skipped(paper, result))
    _write(paper, _how_to_go_on(paper, result, estate))
    paper.line(paper.paint(last_line(result, seconds), _style(result)))


def last_line(result: RunResult, seconds: float) -> str:
    """`Applied: 12 created, 1 changed, 0 deleted in 4.2 s.`, or `Failed: …`, or `Stopped: …`."""
    counts = f"{_counts(result)} in {duration(seconds)}"
    left = {
        "failed": len(result.of(Status.FAILED)),
        "not done": len(result.of(Status.SKIPPED)),
        "did not last": len(result.unsettled),
    }
    problems = ", ".join(f"{number} {words}" for words, number in left.items() if number)
    if not problems:
        return f"Applied: {counts}."
    only_stopped = result.stopped and not left["failed"] and not left["did not last"]
    word = "Stopped" if only_stopped else "Failed"
    return f"{word}: {problems} of {count(len(result.outcomes), 'change')}; {counts}."


def _counts(result: RunResult) -> str:
    actions = [outcome.change.action for outcome in result.of(Status.DONE)]
    changed = actions.count(Action.UPDATE) + actions.count(Action.REPLACE)
    created, deleted = actions.count(Action.CREATE), actions.count(Action.DELETE)
    return f"{created} created, {changed} changed, {deleted} deleted"


def _style(result: RunResult) -> Style:
    return Style.GREEN if result.exit_code == 0 else Style.ALARM


def _write(paper: Paper, lines: Iterator[str]) -> None:
    for line in lines:
        paper.line(line)


def _failure(paper: Paper, outcome: Outcome, command: str) -> Iterator[str]:
    step = f" at `{visible(outcome.step)}`" if outcome.step else ""
    text = f"failed: {resource(outcome.change.address)}{step}"
    yield from (paper.paint(line, Style.ALARM) for line in paper.wrapped(text, "", "  "))
    for diagnostic in outcome.diagnostics:
        yield from diagnostic_lines(diagnostic, paper, "  ", command=command)
    yield ""


def _skipped(paper: Paper, result: RunResult) -> Iterator[str]:
    """What was not done, grouped by the reason."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for outcome in result.of(Status.SKIPPED):
        groups[outcome.reason].append(resource(outcome.change.address))
    for reason, resources in groups.items():
        text = f"not done ({visible(reason)}): {listed(resources, _MOST_LISTED)}"
        yield from paper.wrapped(text, "", "  ")
    if groups:
        yield ""


def _how_to_go_on(paper: Paper, result: RunResult, estate: str) -> Iterator[str]:
    if result.exit_code == 0:
        return
    done = len(result.of(Status.DONE))
    where = f"after {done} of {count(len(result.outcomes), 'change')}"
    why = f"The run was stopped {where}." if result.stopped else ""
    text = (
        f"{why} The estate {visible(estate)} is not as planned yet. "
        "Run the same command again: it continues from what is real."
    )
    yield from paper.wrapped(text.strip())
