"""`apply --snapshot`: snapshots of the machines that a plan changes, before it is carried out. Made by `cli.apply`, run by `cli.carry_out`.

When one of them fails, nothing else is begun and those that were taken for this run are removed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from freehold.diagnostics import Diagnostic, ExitCode, Severity
from freehold.engine.course import Part, joined, not_begun
from freehold.engine.execute import Status
from freehold.engine.planner import Picture, Planning
from freehold.engine.run import RunResult
from freehold.model.snapshots import OF_RUNS
from freehold.operations.snapshots.asking import hooks_of
from freehold.operations.snapshots.planner import Asked, SnapshotPlanner, SnapshotServer
from freehold.operations.snapshots.taking import deleting, taking
from freehold.planning.change import Action, Change
from freehold.planning.plan import Plan
from freehold.planning.resource import Impact

FACT = "snapshots"
"""The journal's event that says which snapshot each machine has from this run."""

_OF_MACHINES = frozenset({"instance", "provision", "volume", "service"})
_REMOVED = "it was taken, and removed again"
_FAILED = "a snapshot failed, so nothing was begun"
_STOPPED = "the run was asked to stop"


@dataclass(slots=True, kw_only=True)
class SnapshotsFirst:
    """A `Course`. `run` is the run's name in the journal; `planner` is that of the plan itself."""

    planner: Planning
    server: SnapshotServer
    run: str
    machines: list[str] = field(default_factory=list, init=False)
    plan: Plan | None = field(default=None, init=False)
    taker: SnapshotPlanner | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """Of the snapshots."""
        return f"{OF_RUNS}{self.run}"

    async def look(self, picture: Picture) -> Picture:
        self.machines = changing(picture)
        if not self.machines:
            return picture
        self.taker = self._planner(taking(self.name, None))
        seen = await self.taker.look()
        self.plan = seen.plan
        told = (*picture.plan.diagnostics, *seen.plan.diagnostics, *_lost(picture.plan))
        return replace(
            picture,
            plan=replace(picture.plan, diagnostics=tuple(dict.fromkeys(told))),
            observed={**picture.observed, **seen.observed},
        )

    def words(self) -> Iterator[str]:
        if self.machines:
            yield f"Snapshots first: {', '.join(self.machines)} as {self.name}."
        else:
            yield "No machine that is there changes, so no snapshot is taken."

    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        return {FACT: {"machines": dict.fromkeys(self.machines, self.name)}}

    async def carry_out(self, picture: Picture, part: Part) -> RunResult:
        if self.taker is None or self.plan is None:
            return await part(self.planner, picture.plan)
        taken = await part(self.taker, self.plan)
        if taken.stopped or taken.exit_code is not ExitCode.DONE:
            return await self._given_up(taken, picture.plan, part)
        return await part(self.planner, picture.plan)

    async def _given_up(self, taken: RunResult, plan: Plan, part: Part) -> RunResult:
        """What was taken goes again: a domain's own part of that is done already."""
        remover = self._planner(deleting(self.name))
        left = (await remover.look()).plan
        removed = await part(remover, replace(left, diagnostics=()))
        ended = [
            replace(outcome, status=Status.SKIPPED, reason=_REMOVED)
            if outcome.status is Status.DONE
            else outcome
            for outcome in taken.outcomes
        ]
        ended += removed.of(Status.FAILED)
        first = replace(taken, outcomes=tuple(ended), after=None)
        reason = _FAILED if taken.of(Status.FAILED) else _STOPPED
        return joined([first], not_begun(plan.changes, reason))

    def _planner(self, asked: Asked) -> SnapshotPlanner:
        infra = self.planner.infra
        return self.server.planner(infra, self.machines, asked, hooks_of(infra))


def changing(picture: Picture) -> list[str]:
    """The machines that exist and that the plan changes, creates anew or deletes, or whose volumes or insides it changes."""
    meant = {
        f"{change.address.domain}/{change.address.name.split('/')[0]}"
        for change in picture.plan.changes
        if change.address.kind in _OF_MACHINES
    }
    there = {
        address.path
        for address, seen in picture.observed.items()
        if address.kind == "instance" and seen.owned
    }
    return sorted(meant & there)


def _lost(plan: Plan) -> Iterator[Diagnostic]:
    gone = [f"{change.address.path} is {_fate(change)}" for change in plan.changes if _goes(change)]
    if gone:
        yield Diagnostic(
            severity=Severity.WARNING,
            code="snapshots-go-too",
            summary="The snapshots of a machine go with its disk",
            detail=f"{'; '.join(gone)}: the snapshot taken first goes too, and `freehold undo` brings it back empty.",
            hint="To keep what it holds, copy that to another machine or out of the estate first.",
        )


def _goes(change: Change) -> bool:
    is_lost = change.action is Action.DELETE or change.impact is Impact.RECREATE
    return change.address.kind == "instance" and is_lost


def _fate(change: Change) -> str:
    return "deleted" if change.action is Action.DELETE else "created anew"
