"""A run as it is carried out: its plan is kept, everything that happens is written down and shown. Called by `carry_out`."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freehold.cli import estate, interrupts
from freehold.diagnostics import Diagnostic, ExitCode, FreeholdError, Severity
from freehold.engine.course import Course
from freehold.engine.events import Event
from freehold.engine.journal import Journal
from freehold.engine.lock import STATE_FOLDER
from freehold.engine.past_plans import keep
from freehold.engine.planner import Picture, Planning
from freehold.engine.run import RunResult, run
from freehold.planning.document import Inputs, SavedPlan
from freehold.planning.plan import Plan


@dataclass(slots=True, kw_only=True)
class Record:
    """One run, called `run` in the journal. `inputs` and `course` are those of the `Job`."""

    folder: Path
    verb: str
    run: str
    inputs: Inputs | None = None
    course: Course | None = None
    _problem: OSError | None = field(default=None, init=False)

    @property
    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """What the run does beside its plan, as the journal and its JSON say it."""
        return self.course.facts() if self.course else {}

    async def carried_out(self, planner: Planning, picture: Picture) -> RunResult:
        """Carry it out, part by part. Raises FreeholdError; what cannot be written down is not begun."""
        journal = self._journal(picture)

        async def part(planner: Planning, plan: Plan) -> RunResult:
            return await _watched(planner, plan, journal)

        try:
            if self.course is None:
                result = await part(planner, picture.plan)
            else:
                result = await self.course.carry_out(picture, part)
        except FreeholdError as error:
            journal.finished(error.exit_code)
            raise
        except asyncio.CancelledError:
            journal.finished(ExitCode.FAILED, stopped=True)
            raise
        journal.finished(result.exit_code, result.stopped)
        self._problem = journal.problem
        return result

    def gaps(self) -> Sequence[Diagnostic]:
        """What to say when the disk filled up meanwhile."""
        return [] if self._problem is None else [_gap(self.folder, self._problem)]

    def _journal(self, picture: Picture) -> Journal:
        """The run's plan and its journal, with what is about to be done."""
        try:
            if self.inputs is not None:
                saved = SavedPlan.of(picture.plan, picture.observed, self.inputs)
                keep(self.folder, self.run, saved)
            journal = Journal(self.folder, self.verb, self.run)
            journal.planned(picture.plan)
            for event, facts in self.facts.items():
                journal.noted(event, facts)
        except OSError as error:
            raise estate.unwritable(self.folder / STATE_FOLDER, error) from error
        return journal


def _gap(folder: Path, problem: OSError) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="journal-incomplete",
        summary="The journal of this run has gaps",
        detail=f"{folder / STATE_FOLDER / 'runs'}: {problem.strerror or problem}. "
        "The run itself went on.",
        hint="Free some space; `freehold log` shows what could be written.",
    )


async def _watched(planner: Planning, plan: Plan, journal: Journal) -> RunResult:
    """Carry a plan out, with every event shown and written down."""
    from freehold.views.progress import Progress

    with Progress(plan, sys.stderr) as progress, interrupts.heeded(progress.stopping) as stop:

        def listener(event: Event) -> None:
            journal(event)
            progress(event)

        return await run(planner, plan, listener, stop)
