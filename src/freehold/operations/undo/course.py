"""A run of `undo`: first what machines held comes back, then infra.yml, then the rest is made as it says. Run by `cli.carry_out`.

Why in this order: docs/decisions/0011-undo.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from freehold.diagnostics import Diagnostic, ExitCode, FreeholdError
from freehold.engine.course import Part, joined, not_begun
from freehold.engine.execute import Outcome
from freehold.engine.planner import Picture, Planner
from freehold.engine.run import RunResult
from freehold.operations.snapshots.first import FACT as SNAPSHOTS
from freehold.operations.undo.choice import FACT, SERVICE, Return, place_of
from freehold.operations.undo.content import Content
from freehold.operations.undo.problems import (
    comes_back_empty,
    data_stays,
    files_stay,
    from_within,
    machines_stay,
    more_than_shown,
)
from freehold.operations.undo.reach import beyond, in_view, without
from freehold.operations.undo.texts import Texts
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.plan import Plan
from freehold.planning.resource import Impact

_DATA_MISSING = "what machines held did not come back"
_TEXTS_MISSING = "infra.yml did not go back"


@dataclass(slots=True, kw_only=True)
class GoingBack:
    """A `Course`. `planner` is that of the configuration as it was; `run` is this run's name."""

    back: Return
    run: str
    content: Content
    texts: Texts
    planner: Planner
    files: Plan | None = field(default=None, init=False)

    async def look(self, picture: Picture) -> Picture:
        held, files = await self.content.look(), await self.texts.look()
        self.files = files.plan
        shown = in_view(held.plan.changes, files.plan.changes, picture.plan.changes)
        settled = self.content.settled()
        told = [d for d in picture.plan.diagnostics if d not in settled]
        told += [*held.plan.diagnostics, *self._remarks(picture.plan)]
        plan = replace(picture.plan, changes=shown, diagnostics=tuple(dict.fromkeys(told)))
        observed = {**picture.observed, **held.observed, **files.observed}
        return replace(picture, plan=plan, observed=observed)

    def words(self) -> Iterator[str]:
        yield f"This takes back {self.back.run.name}: all is to be as {self.back.to.name} left it."
        if self.back.also:
            yield f"Taken back with it: {', '.join(run.name for run in self.back.also)}."
        yield f"To go forward again afterwards: freehold undo {self.run}"

    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        done = {key: self.back.begun[key] for key in self.back.done}
        return {
            FACT: {"run": self.back.run.name, "to": self.back.to.name},
            SNAPSHOTS: {"machines": {**done, **self.content.kept}},
        }

    async def carry_out(self, picture: Picture, part: Part) -> RunResult:
        assert self.content.plan is not None
        assert self.files is not None
        results: list[RunResult] = []
        if self.content.planner is not None and self.content.plan.changes:
            data = replace(self.content.plan, diagnostics=())
            results.append(await part(self.content.planner, data))
            if not _all_done(results):
                return joined(results, _left(picture.plan, _DATA_MISSING, data))
        if self.files.changes:
            results.append(await part(self.texts, self.files))
            if not _all_done(results):
                left = _left(picture.plan, _TEXTS_MISSING, self.content.plan, self.files)
                return joined(results, left)
        rest = await self._rest(picture.plan)
        if rest.changes:
            results.append(await part(self.planner, rest))
        return joined(results)

    async def _rest(self, shown: Plan) -> Plan:
        """The plan of the configuration, made anew: no more than was agreed to.

        What files beside infra.yml ask for inside machines that came back is left out: it is what is to be taken back. Services
        that Docker still starts there are waited for.
        """
        plan = (await self.planner.look()).plan
        if not plan.can_apply:
            raise FreeholdError(*plan.diagnostics)
        starting = {change.address for change in plan.changes if self._starts(change)}
        more = [address for address in beyond(shown, plan) if address not in starting]
        if others := [address for address in more if not self._is_inside(address)]:
            raise more_than_shown(map(str, others))
        return without(plan, more)

    def _is_inside(self, address: Address) -> bool:
        """Whether it is what a machine that came back has inside."""
        return place_of(address) in self.back.done | self.content.going

    def _starts(self, change: Change) -> bool:
        """Whether it is a service there that is as it is to be, but does not serve yet."""
        inside = change.address.kind == SERVICE and self._is_inside(change.address)
        return inside and change.action is Action.UPDATE and change.impact is Impact.LIVE

    def _remarks(self, plan: Plan) -> Iterator[Diagnostic]:
        made = {
            change.address.path
            for change in plan.changes
            if change.address.kind in {"instance", "volume"} and change.action is Action.CREATE
        }
        if not self.back.snapshots and self.back.run.verb != "destroy":
            yield data_stays(self.back.run)
        if staying := {*self.back.snapshots} - self.content.going - self.back.done - made:
            yield machines_stay(sorted(staying), self.back.run)
        if files := self.back.inside - {str(change.address) for change in plan.changes}:
            yield files_stay(sorted(files))
        if made:
            yield comes_back_empty(sorted(made))
        if self.content.own is not None:
            yield from_within(self.content.own)


def _all_done(results: Sequence[RunResult]) -> bool:
    return not results[-1].stopped and results[-1].exit_code is ExitCode.DONE


def _left(shown: Plan, reason: str, *begun: Plan) -> list[Outcome]:
    those = {change.address for plan in begun for change in plan.changes}
    return not_begun((c for c in shown.changes if c.address not in those), reason)
