"""What machines hold goes back to the snapshots of a run: which of them, under which name what is now is kept. A part of `course.py`'s run."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from freehold.diagnostics import Diagnostic
from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.operations.snapshots.planner import Asked, Seen, SnapshotPlanner, SnapshotServer
from freehold.operations.snapshots.returning import Returning
from freehold.operations.undo.choice import Return
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.providers.incus.snapshots.reading import Target, read_targets
from freehold.providers.incus.snapshots.unfinished import half_restored


@dataclass(slots=True, kw_only=True)
class Content:
    """`planner` brings it back; None as long as nobody has looked, and when nothing is to come back. `plan` is the last look's.

    `kept` says by machine which snapshot keeps what it holds now; of one that is half-way back, whoever began with it has
    kept that.
    """

    back: Return
    infra: Infra
    server: SnapshotServer
    now: datetime
    plan: Plan | None = field(default=None, init=False)
    planner: SnapshotPlanner | None = field(default=None, init=False)
    kept: dict[str, str] = field(default_factory=dict, init=False)
    copy: str = field(default="", init=False)

    async def look(self) -> Picture:
        """What would come back. Which machines do is decided once: what is kept of now is newer."""
        if self.planner is None:
            names = await self._having()
            self.planner = self._planner(names) if names else None
        if self.planner is None:
            picture = Picture(Plan(estate=self.infra.name), {}, {})
        else:
            picture = await self.planner.look()
        self.plan = picture.plan
        self.kept = self._kept()
        return picture

    @property
    def going(self) -> set[str]:
        """The machines that go back."""
        return {change.address.path for change in self.plan.changes} if self.plan else set()

    @property
    def own(self) -> str | None:
        """The machine in which this process runs, if it goes back."""
        own = self.planner.provider.own if self.planner else None
        return own if own in self.going else None

    def _kept(self) -> dict[str, str]:
        half = {target.key for target in self._targets() if target.restoring}
        return {
            key: self.back.begun.get(key, self.copy) if key in half else self.copy
            for key in sorted(self.going)
        }

    def settled(self) -> set[Diagnostic]:
        """What stands in the way of every other run, and is brought to its end by this one."""
        return {
            half_restored(target.key, target.restoring)
            for target in self._targets()
            if target.restoring and target.key in self.going
        }

    def _targets(self) -> Sequence[Target]:
        seen = self.planner.seen if self.planner else None
        return list(seen.targets()) if seen else []

    async def _having(self) -> dict[str, str]:
        """The machines that have their snapshot, with its name. Who came back already does not do so again."""
        look = await read_targets(self.server.incus, self.infra.name)
        targets = {target.key: target for target in look.targets}
        return {
            key: name
            for key, name in self.back.snapshots.items()
            if (target := targets.get(key)) is not None
            and (snapshot := target.snapshot(name)) is not None
            and look.is_whole(target, snapshot)
            and (key not in self.back.done or target.restoring is not None)
        }

    def _planner(self, names: dict[str, str]) -> SnapshotPlanner:
        return self.server.planner(self.infra, sorted(names), self._asked(names))

    def _asked(self, names: dict[str, str]) -> Asked:
        """Each machine to its own snapshot."""
        machines: defaultdict[str, set[str]] = defaultdict(set)
        for key, name in names.items():
            machines[name].add(key)
        ways = {name: Returning(name, now=self.now) for name in machines}
        self.copy = next(iter(ways.values())).copy

        def asked(seen: Seen) -> tuple[Sequence[Change], Sequence[Diagnostic]]:
            answers = [way(_only(seen, machines[name])) for name, way in ways.items()]
            changes = [change for answer in answers for change in answer[0]]
            return changes, [problem for answer in answers for problem in answer[1]]

        return asked


def _only(seen: Seen, keys: set[str]) -> Seen:
    domains = {
        domain: [target for target in targets if target.key in keys]
        for domain, targets in seen.domains.items()
    }
    return replace(seen, domains=domains)
