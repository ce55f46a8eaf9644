"""Shows a run while it runs. Made by `cli`; hears the same events as the journal.

On a terminal: a bar and what is running now, with finished changes above as lines that stay. Anywhere else: those
lines only. Rich is imported only for a live terminal.
"""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from freehold.diagnostics import Diagnostic
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
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.views.terminal import Paper, Style, shortened, visible
from freehold.views.words import duration, past, resource

if TYPE_CHECKING:
    from freehold.views.live import LiveDisplay

Line = tuple[str, Style]
_LONGEST_PROBLEM = 300


class Running:
    """A change that is under way: since when, at which step, and what that step said last."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.started = time.monotonic()
        self.step = ""
        self.report = ""


class Progress:
    """A context manager around a run, and the listener of its events."""

    def __init__(self, plan: Plan, stream: TextIO) -> None:
        self.total = len(plan.changes)
        self.finished = 0
        self.running: dict[Address, Running] = {}
        self.started = time.monotonic()
        self._paper = Paper(stream)
        self._live: LiveDisplay | None = None
        self._is_silent = False  # nobody reads any more (a closed pipe): no reason to end a run

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        if self._paper.can_animate and self.total:
            from freehold.views.live import LiveDisplay

            self._live = LiveDisplay(self, self._paper)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: Event) -> None:
        """Take in one event of the run."""
        match event:
            case ChangeStarted():
                self.running[event.change.address] = Running(event.change)
            case StepStarted():
                self._at(event.change, event.description)
            case StepReported():
                self._at(event.change).report = event.text
            case ChangeInterrupted():
                self._tell(_interrupted(event))
            case ChangeDone():
                self._finish(event.change, _done(event))
            case ChangeFailed():
                self._finish(event.change, _failed(event))
            case ChangeSkipped():
                self._finish(event.change, _skipped(event))

    def stopping(self) -> None:
        """Say that an interrupt was heard."""
        text = "! stopping: what is under way is finished, nothing new is begun"
        self._tell((text, Style.CAUTION))

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    def _at(self, change: Change, step: str | None = None) -> Running:
        running = self.running.setdefault(change.address, Running(change))
        if step is not None:
            running.step, running.report = step, ""
        return running

    def _finish(self, change: Change, line: Line) -> None:
        self.running.pop(change.address, None)
        self.finished += 1
        self._tell(line)

    def _tell(self, line: Line) -> None:
        """One line that stays: how far the run is, when, and what happened."""
        if self._is_silent:
            return
        digits = len(str(self.total))
        head = f"[{self.finished:>{digits}}/{self.total}] {duration(self.elapsed):>8}  "
        try:
            if self._live is not None:
                self._live.above(head, *line)
            else:
                text, style = line
                self._paper.line(head + self._paper.paint(text, style))
                self._paper.stream.flush()
        except OSError:
            self._is_silent = True


def _interrupted(event: ChangeInterrupted) -> Line:
    problems = _problems(event.diagnostics)
    return f"! {resource(event.change.address)}: {problems}; waiting for it", Style.CAUTION


def _done(event: ChangeDone) -> Line:
    change = event.change
    what = f"{change.action.symbol} {resource(change.address)}"
    return (
        f"{what}: {past(change.address, change.action)} in {duration(event.seconds)}",
        Style.GREEN,
    )


def _failed(event: ChangeFailed) -> Line:
    where = f"after {duration(event.seconds)} at `{visible(event.step)}`"
    what = f"x {resource(event.change.address)}"
    return f"{what}: failed {where}: {_problems(event.diagnostics)}", Style.ALARM


def _skipped(event: ChangeSkipped) -> Line:
    return f"o {resource(event.change.address)}: not done, {visible(event.reason)}", Style.YELLOW


def _problems(diagnostics: tuple[Diagnostic, ...]) -> str:
    texts = [f"{d.summary}: {d.detail}" if d.detail else d.summary for d in diagnostics]
    in_one_line = " ".join("; ".join(texts).split())
    return shortened(visible(in_one_line.rstrip(".")), _LONGEST_PROBLEM)
