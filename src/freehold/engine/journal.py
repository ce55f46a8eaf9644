"""The journal: every run as JSON lines in `.freehold/runs/`, written as it happens, shown by `freehold log`.

It holds addresses, field names, times and errors; not the values of fields, which may be nobody else's business.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freehold.diagnostics import Diagnostic, ExitCode
from freehold.engine.events import (
    ChangeDone,
    ChangeFailed,
    ChangeInterrupted,
    ChangeSkipped,
    ChangeStarted,
    Event,
    StepReported,
    StepStarted,
)
from freehold.engine.lock import STATE_FOLDER
from freehold.planning.plan import Plan

SCHEMA = 1


def run_name(verb: str) -> str:
    """What a run that begins now is called: `20260301T140322.123-apply`. The names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"[:-3] + f"-{verb}"


def runs_folder(folder: Path) -> Path:
    """Where runs are kept, made if need be. Raises OSError."""
    runs = folder / STATE_FOLDER / "runs"
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    return runs


class Journal:
    """One run's file. Every line is on disk when the call returns, so a killed run shows how far it came.

    Making it and writing down the plan raise OSError. Once something was changed a full disk is no reason to stop
    half-way: `problem` then keeps the first failure.
    """

    def __init__(self, folder: Path, verb: str, run: str = "") -> None:
        """`run` is the run's name where it was needed before: see `run_name`."""
        runs = runs_folder(folder)
        self.problem: OSError | None = None
        self.run = run or run_name(verb)
        self._file = os.open(
            runs / f"{self.run}.jsonl", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600
        )
        self._write("run-started", schema=SCHEMA, verb=verb, pid=os.getpid())

    def planned(self, plan: Plan) -> None:
        """Write down what is about to be done."""
        changes = [
            {
                "address": str(change.address),
                "action": change.action.value,
                "fields": [field.path for field in change.fields],
            }
            for change in plan.changes
        ]
        self._write("planned", estate=plan.estate, changes=changes, summary=plan.summary())

    def noted(self, event: str, facts: Mapping[str, Any]) -> None:
        """Write down a fact about the run that those who come after need; like `planned` it raises OSError."""
        self._write(event, **facts)

    def __call__(self, event: Event) -> None:
        """Write down one event of the run."""
        address = str(event.change.address)
        match event:
            case ChangeStarted():
                self._note("change-started", address=address, action=event.change.action.value)
            case StepStarted():
                self._note("step", address=address, step=event.description)
            case StepReported():
                pass  # progress is for eyes, not for the record
            case ChangeInterrupted():
                self._note("interrupted", address=address, problems=_texts(event.diagnostics))
            case ChangeDone():
                self._note("change-done", address=address, seconds=round(event.seconds, 3))
            case ChangeFailed():
                problems = _texts(event.diagnostics)
                self._note("change-failed", address=address, step=event.step, problems=problems)
            case ChangeSkipped():
                self._note("change-skipped", address=address, reason=event.reason)

    def finished(self, exit_code: ExitCode, stopped: bool = False) -> None:
        """Write down how it ended, and close."""
        self._note("run-finished", exit_code=int(exit_code), stopped=stopped)
        os.close(self._file)

    def _note(self, event: str, **facts: Any) -> None:
        try:
            self._write(event, **facts)
        except OSError as error:
            self.problem = self.problem or error

    def _write(self, event: str, **facts: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts})
        os.write(self._file, line.encode() + b"\n")


def _texts(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    return [f"{diagnostic.summary}: {diagnostic.detail}" for diagnostic in diagnostics]


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run read back. `exit_code` is None when it never ended properly or is still at work."""

    name: str
    verb: str
    pid: int
    started: float
    seconds: float
    exit_code: int | None
    stopped: bool
    summary: dict[str, int]
    events: tuple[dict[str, Any], ...]

    @property
    def ended_well(self) -> bool:
        """Whether all that was planned was done."""
        return self.exit_code == ExitCode.DONE

    @property
    def changed_something(self) -> bool:
        """Whether it began to carry anything out; snapshots alone are no change."""
        return any(
            event["event"] == "change-started"
            and not str(event.get("address", "")).startswith("snapshot:")
            for event in self.events
        )

    def fact(self, name: str) -> Mapping[str, Any]:
        """What was `noted` under that name; empty when nothing was."""
        return next((event for event in self.events if event["event"] == name), {})


def past_runs(folder: Path) -> Iterator[PastRun]:
    """The runs of the estate in `folder`, newest first.

    Passed over are damaged lines (a full disk), and files that are gone by now or that somebody else (root, by `sudo`) keeps to himself.
    """
    for path in sorted((folder / STATE_FOLDER / "runs").glob("*.jsonl"), reverse=True):
        try:
            events = tuple(_events(path))
        except OSError:
            continue
        if events and events[0]["event"] == "run-started":
            yield _past_run(path.stem, events)


def _events(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event and "time" in event:
            yield event


def _past_run(name: str, events: tuple[dict[str, Any], ...]) -> PastRun:
    first, last = events[0], events[-1]
    planned = next((event for event in events if event["event"] == "planned"), {})
    finished = last if last["event"] == "run-finished" else {}
    return PastRun(
        name=name,
        verb=first["verb"],
        pid=first["pid"],
        started=first["time"],
        seconds=last["time"] - first["time"],
        exit_code=finished.get("exit_code"),
        stopped=finished.get("stopped", False),
        summary=planned.get("summary", {}),
        events=events,
    )
