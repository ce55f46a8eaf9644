"""Past runs for people and as JSON. Called by `cli.log`; what they hold is said by `engine.journal`."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TextIO

from freehold.diagnostics import ExitCode
from freehold.engine.journal import PastRun
from freehold.planning.change import Action
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, Style, on_one_line, visible
from freehold.views.words import count, duration

SCHEMA = 1
_COLUMNS = [
    Column("run"),
    Column("when", folds=True),
    Column("verb"),
    Column("result", folds=True),
    Column("took"),
    Column("planned"),
]
_SYMBOLS = {action.value: action.symbol for action in Action}


def render_runs(runs: Iterable[PastRun], stream: TextIO) -> None:
    """Write a table of runs, in the order given."""
    paper = Paper(stream)
    rows = [_row(run) for run in runs]
    if not rows:
        paper.line("No run was made here yet.")
        return
    for line in table_lines(_COLUMNS, rows, paper):
        paper.line(line)


def _row(run: PastRun) -> list[str]:
    return [
        visible(run.name),
        local_time(run.started),
        visible(run.verb),
        result_in_words(run),
        duration(run.seconds),
        _planned(run),
    ]


def local_time(seconds: float) -> str:
    """A moment in the reader's own time zone: `2026-03-01 14:03:22`."""
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


def result_in_words(run: PastRun) -> str:
    """How the run ended."""
    if run.exit_code is None:
        return "no end written"
    if run.stopped:
        return "stopped"
    words = {
        ExitCode.DONE: "done",
        ExitCode.FAILED: "failed",
        ExitCode.PARTLY_APPLIED: "partly applied",
    }
    return (
        words.get(ExitCode(run.exit_code), "")
        if run.exit_code in words
        else f"exit {run.exit_code}"
    )


def _planned(run: PastRun) -> str:
    """How many changes of each action were planned: `+12 ~1 -2`, the symbols of plans."""
    counts = [f"{sign}{run.summary[key]}" for key, sign in _SYMBOLS.items() if run.summary.get(key)]
    return " ".join(counts) or "-"


def render_run(run: PastRun, stream: TextIO) -> None:
    """Write one run as a timeline, in seconds since its start."""
    paper = Paper(stream)
    title = f"{run.name}: freehold {run.verb}, {local_time(run.started)}, process {run.pid}"
    paper.line(paper.paint(visible(title), Style.BOLD))
    for event in run.events:
        text = _event(event)
        if text is None:
            continue
        at = f"{event['time'] - run.started:9.3f} s  "
        first, *rest = paper.wrapped(on_one_line(text), at, " " * len(at))
        paper.line(_painted(paper, event["event"], first))
        for line in rest:
            paper.line(line)
    ended = f"{result_in_words(run)}, after {duration(run.seconds)}"
    paper.line(paper.paint(f"{ended[0].upper()}{ended[1:]}.", Style.BOLD))


def _painted(paper: Paper, event: str, line: str) -> str:
    styles = {
        "change-failed": Style.ALARM,
        "change-done": Style.GREEN,
        "interrupted": Style.CAUTION,
    }
    return paper.paint(line, styles[event]) if event in styles else line


def _event(event: dict[str, Any]) -> str | None:
    """An event in words; None for those that the first and last line tell. Lines may lack facts: a disk was full."""
    address, problems = event.get("address", "?"), "; ".join(map(str, event.get("problems", ())))
    match event["event"]:
        case "planned":
            return f"planned {count(len(event.get('changes', ())), 'change')}"
        case "undo":
            return f"takes back {event.get('run', '?')}: to what {event.get('to', '?')} left"
        case "snapshots":
            return _snapshots(event)
        case "change-started":
            return f"{address}: begun ({event.get('action', '?')})"
        case "step":
            return f"{address}: {event.get('step', '?')}"
        case "interrupted":
            return f"{address}: interrupted: {problems}"
        case "change-done":
            return f"{address}: done in {duration(float(event.get('seconds', 0)))}"
        case "change-failed":
            return f"{address}: failed at `{event.get('step', '?')}`: {problems}"
        case "change-skipped":
            return f"{address}: not done, {event.get('reason', '?')}"
        case "run-started" | "run-finished":
            return None
        case other:
            return str(other)


def _snapshots(event: dict[str, Any]) -> str | None:
    """Which snapshot each machine has from this run, so that what it held then can come back."""
    machines = event.get("machines", {})
    names = sorted({*machines.values()})
    kept = [f"{', '.join(m for m in machines if machines[m] == name)} as {name}" for name in names]
    return f"snapshots: {'; '.join(kept)}" if kept else None


def runs_log_document(runs: Iterable[PastRun]) -> dict[str, Any]:
    """As `log --json` prints them."""
    return {"schema": SCHEMA, "kind": "log", "runs": list(_documents(runs))}


def run_log_document(run: PastRun) -> dict[str, Any]:
    """As `log RUN --json` prints it: the same, with every event."""
    (document,) = _documents([run])
    return {"schema": SCHEMA, "kind": "log", "run": {**document, "events": list(run.events)}}


def _documents(runs: Iterable[PastRun]) -> Iterator[dict[str, Any]]:
    for run in runs:
        yield {
            "name": run.name,
            "verb": run.verb,
            "pid": run.pid,
            "started": run.started,
            "seconds": round(run.seconds, 3),
            "exit_code": run.exit_code,
            "result": result_in_words(run),
            "stopped": run.stopped,
            "summary": run.summary,
        }
