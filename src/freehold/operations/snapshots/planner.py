"""Looks at machines and their snapshots and plans what was asked: taking, deleting, going back. Run by `engine`.

Made by `cli.snapshot`, by `apply --snapshot` and by `undo`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from freehold.diagnostics import Diagnostic
from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.operations.snapshots.targets import chosen, own_key
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.planning.resource import Observed
from freehold.providers.incus.snapshots.quiet import Hooks
from freehold.providers.incus.snapshots.reading import Look, Target, read_targets
from freehold.providers.incus.snapshots.steps import SnapshotSteps, data_address
from freehold.system.incus.api import Incus
from freehold.system.incus.thaw import Thaw

Asked = Callable[["Seen"], tuple[Sequence[Change], Sequence[Diagnostic]]]
"""What is to be done for what was seen, and what keeps it from being done or should be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The machines that are meant, by domain. `again`: the run has begun; what is there may be its own work."""

    infra: Infra
    look: Look
    domains: Mapping[str, Sequence[Target]]
    own: str | None
    again: bool

    def targets(self) -> Iterator[Target]:
        """All that are meant."""
        for targets in self.domains.values():
            yield from targets


@dataclass(slots=True, kw_only=True)
class SnapshotPlanner:
    """`words` are those of the command; `own` is the instance in which this process runs, if any. `with_expiry`: for a list."""

    infra: Infra
    provider: SnapshotSteps
    words: Sequence[str]
    asked: Asked
    own: str | None = None
    with_expiry: bool = False
    seen: Seen | None = field(default=None, init=False)

    async def look(self) -> Picture:
        """Raises UsageError for words that mean nothing."""
        look = await read_targets(
            self.provider.incus, self.infra.name, with_expiry=self.with_expiry
        )
        self.provider.targets = {target.key: target for target in look.targets}
        self.provider.unfinished = look.unfinished
        self.provider.own = own_key(look, self.own)
        self.seen = Seen(
            infra=self.infra,
            look=look,
            domains=_by_domain(chosen(look, self.infra, self.words, self.own)),
            own=self.provider.own,
            again=self.provider.has_begun,
        )
        changes, diagnostics = self.asked(self.seen)
        left = tuple(change for change in changes if change.address not in self.provider.done)
        plan = Plan(estate=self.infra.name, changes=left, diagnostics=tuple(diagnostics))
        return Picture(plan, {}, {each.address: each for each in _observed(self.seen)})

    async def again(self, change: Change) -> Change | None:
        """What is left of a change, as of now."""
        picture = await self.look()
        return next((c for c in picture.plan.changes if c.address == change.address), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotServer:
    """Where snapshots are taken: an Incus, who lets machines go on that are held still, and the instance this process runs in."""

    incus: Incus
    thaw: Thaw
    own: str | None = None

    def planner(
        self,
        infra: Infra,
        words: Sequence[str],
        asked: Asked,
        hooks: Mapping[str, Hooks] | None = None,
    ) -> SnapshotPlanner:
        """For the machines that the words mean; `hooks` are the commands before and after, by machine."""
        return SnapshotPlanner(
            infra=infra,
            provider=SnapshotSteps(self.incus, self.thaw, hooks or {}),
            words=words,
            asked=asked,
            own=self.own,
        )


def _by_domain(targets: Sequence[Target]) -> dict[str, list[Target]]:
    domains: defaultdict[str, list[Target]] = defaultdict(list)
    for target in targets:
        domains[target.domain].append(target)
    return dict(domains)


def _observed(seen: Seen) -> Iterator[Observed]:
    """What must still be so when somebody has agreed."""
    for target in seen.targets():
        names = [snapshot.name for snapshot in target.snapshots]
        yield Observed(address=data_address(target), fields={"snapshots": names})
