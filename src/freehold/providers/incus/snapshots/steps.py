"""How changes of snapshots are carried out: made, deleted, gone back to. Made by `operations.snapshots.planner`, driven by `engine`.

A snapshot of a domain is one resource, `snapshot:home/NAME`; the content of a machine is another, `data:home/desk`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Kind
from freehold.providers.incus.snapshots.making import Making, clear, make
from freehold.providers.incus.snapshots.parts import remove
from freehold.providers.incus.snapshots.quiet import Hooks
from freehold.providers.incus.snapshots.reading import Target
from freehold.providers.incus.snapshots.returning import MachineRestore
from freehold.providers.incus.snapshots.unfinished import Unfinished
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus
from freehold.system.incus.thaw import Thaw

SNAPSHOT = Kind(name="snapshot", rank=0)
DATA = Kind(name="data", rank=1)
AT_ONCE = 8  # snapshots taken at the same time; a daemon on two cores gains nothing from more


def snapshot_address(domain: str, name: str) -> Address:
    """The address of a snapshot of a domain."""
    return Address(domain, SNAPSHOT.name, name)


def data_address(target: Target) -> Address:
    """The address of what a machine holds."""
    return Address(target.domain, DATA.name, target.machine)


@dataclass(slots=True)
class SnapshotSteps:
    """Makes the steps. The planner sets what it saw last: `targets` by key, and what was left `unfinished` by domain.

    `hooks` are by machine key. `going_back` are the machines that go back, by address; `own` is the key of the machine in which
    this process runs.
    """

    incus: Incus
    thaw: Thaw
    hooks: Mapping[str, Hooks] = field(default_factory=dict)
    own: str | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    unfinished: Mapping[str, Unfinished] = field(default_factory=dict)
    done: set[Address] = field(default_factory=set)
    going_back: dict[Address, MachineRestore] = field(default_factory=dict)
    has_begun: bool = False
    tidied: set[tuple[str, str]] = field(default_factory=set)
    turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        """How a change is carried out."""
        self.has_begun = True
        if change.address.kind == DATA.name:
            return self._return(change)
        act = self._delete if change.action is Action.DELETE else self._make
        tidying = self._tidying(change.address.domain)
        return [self._in_turn(change.address.domain, step) for step in [*tidying, act(change)]]

    async def wait_ready(self, timeout: float) -> None:
        """Return once Incus answers again."""
        await self.incus.wait_ready(timeout)

    def _in_turn(self, domain: str, step: Step) -> Step:
        """In one domain one thing after another: it has room for one mark of what is under way."""
        turn = self.turns.setdefault(domain, asyncio.Lock())

        async def run(report: Report) -> None:
            async with turn:
                await step.run(report)

        return Step(step.description, run)

    def _tidying(self, domain: str) -> Sequence[Step]:
        """What somebody who was killed has left half made goes first."""
        left = self.unfinished.get(domain)
        if left is None:
            return []
        targets = [t for t in self.targets.values() if t.domain == domain]
        those = [target for target in targets if target.machine in left.machines]

        async def run(report: Report) -> None:
            if (domain, left.name) in self.tidied:  # by another change of this run
                return
            await clear(self.incus, domain, left.name, those)
            self.tidied.add((domain, left.name))

        return [Step(f"remove what is left of {left.name}, which was never finished", run)]

    def _make(self, change: Change) -> Step:
        fields = change.desired or {}
        domain, name = change.address.domain, change.address.name
        making = Making(
            domain=domain,
            name=name,
            targets=[self.targets[f"{domain}/{machine}"] for machine in fields["machines"]],
            expires=datetime.fromisoformat(fields["expires"]) if fields["expires"] else None,
            hooks={m: self.hooks.get(f"{domain}/{m}", Hooks()) for m in fields["machines"]},
            slots=self.slots,
            together=fields["together"],
            own=self.own,
        )

        async def run(report: Report) -> None:
            self.tidied.discard((domain, name))  # what this leaves half made is another matter
            await make(self.incus, self.thaw, making, report)

        return Step(f"take {name}", run)

    def _delete(self, change: Change) -> Step:
        fields = change.observed or {}
        domain, name = change.address.domain, change.address.name

        async def one(target: Target) -> None:
            async with self.slots:
                await remove(self.incus, target, name, target.volumes)

        async def run(report: Report) -> None:
            async with asyncio.TaskGroup() as group:
                for machine in fields["machines"]:
                    group.create_task(one(self.targets[f"{domain}/{machine}"]))

        return Step(f"delete {name}", run)

    def _return(self, change: Change) -> Sequence[Step]:
        fields = change.desired or {}
        target = self.targets[change.address.path]
        snapshot = target.snapshot(fields["snapshot"])
        assert snapshot is not None
        returning = self.going_back.get(change.address)
        if returning is None:
            returning = self.going_back[change.address] = MachineRestore(
                self.incus, target, snapshot, fields["copy"],
                datetime.fromisoformat(fields["copy_expires"]), fields["starts"],
            )  # fmt: skip
        returning.target = target
        if target.key == self.own:
            return returning.from_within()

        async def note(report: Report) -> None:
            self.done.add(change.address)

        return [*returning.steps(), Step("note that it is done", note, only_waits=True)]
