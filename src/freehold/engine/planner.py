"""Looks at the real systems and makes the plan: the one way that plan, apply, verify, status and destroy share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.allocation import with_addresses
from freehold.planning.change import Action, Change
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.planning.resource import Desired, Observed
from freehold.planning.selection import Selection
from freehold.providers.protocol import Observation, Provider, Step


@dataclass(frozen=True, slots=True)
class Picture:
    """A plan and the two sides it was made from."""

    plan: Plan
    desired: Mapping[Address, Desired]
    observed: Mapping[Address, Observed]


class Carrier(Protocol):
    """What carries changes out; of a `Provider`, the part that acts."""

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        """The actions that carry out a change of this estate, in order."""

    async def wait_ready(self, timeout: float) -> None:
        """Return once the system answers again. Raises BackendError when it does not."""


class Planning(Protocol):
    """Who makes the plan of a run, looks again, and knows who carries it out: `Planner`, and that of the snapshots."""

    @property
    def infra(self) -> Infra: ...
    @property
    def provider(self) -> Carrier: ...

    async def look(self) -> Picture:
        """Observe and compare. Raises BackendError when a system cannot be read."""

    async def again(self, change: Change) -> Change | None:
        """What is left of a change, as of now; None when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """What is asked of the real systems, again and again during a run.

    With `destroy`, nothing of the estate is wanted any more: its every resource is to go. With `orphans_only`,
    orphans are deleted and nothing else is touched. `measure`: whether the estate fits its computer is asked even when the plan
    asks nothing more of it.
    """

    infra: Infra
    provider: Provider
    selection: Selection = Selection()
    prune: bool = False
    destroy: bool = False
    orphans_only: bool = False
    measure: bool = False

    async def look(self) -> Picture:
        """Observe and compare. Raises BackendError when a system cannot be read."""
        observation = await self.provider.observe(self.infra)
        desired = {} if self.destroy else self._desired(observation)
        plan = compare(
            Question(
                estate=self.infra.name,
                desired=desired,
                observed=observation.observed,
                kinds=self.provider.kinds,
                selection=self.selection,
                prune=self.prune or self.orphans_only,
                only_orphans=self.orphans_only,
                destroy=self.destroy,
                unseen=observation.unseen,
                unreached=observation.unreached,
                here=observation.here,
            )
        )
        if not self.destroy:
            diagnostics = (*observation.diagnostics, *plan.diagnostics)
            plan = await self._measured(replace(plan, diagnostics=diagnostics), observation)
        return Picture(plan, desired, observation.observed)

    async def _measured(self, plan: Plan, observation: Observation) -> Plan:
        """The plan with the computers as it leaves them, when it may ask more of them."""
        if not (self.measure or any(map(_takes_more, plan.changes))):
            return plan
        from freehold.planning.capacity_rules import fit  # most plans start without

        gone = {change.address for change in plan.changes if change.action is Action.DELETE}
        computers = [await measure() for measure in observation.measures]
        capacity = tuple(fit(each, self.selection, gone) for each in computers)
        found = (problem for each in capacity for problem in each.diagnostics)
        return replace(plan, diagnostics=(*plan.diagnostics, *found), capacity=capacity)

    def _desired(self, observation: Observation) -> Mapping[Address, Desired]:
        infra = with_addresses(self.infra, observation.observed)
        return self.provider.desired(infra, observation)

    async def again(self, change: Change) -> Change | None:
        """What is left of a change, as of now; None when nothing is."""
        picture = await self.look()
        if change.address.domain in picture.plan.unreached:
            return change  # nobody knows
        return next((c for c in picture.plan.changes if c.address == change.address), None)


def _takes_more(change: Change) -> bool:
    """Whether a change may make a machine take more of its computer."""
    return change.action is not Action.DELETE and change.address.kind in _TAKING


_TAKING = frozenset({"instance", "profile", "volume"})
