"""What the schedules of infra.yml ask for now: what is due is taken, what `keep` lets go is deleted. Called by `cli.snapshot`.

Run by the host's timer. Of machines whose schedule Incus carries out the first one is taken here, so that a new schedule need not be
waited for, and one that Incus missed because the computer was off: it does not catch up. Thinning is done here for all, and never touches what no schedule made.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from freehold.diagnostics import Diagnostic
from freehold.model import Infra, Machine
from freehold.model.snapshots import due, is_scheduled_name, scheduled_name, thinned
from freehold.operations.snapshots.planner import Asked, Seen
from freehold.operations.snapshots.taking import creation, deletion
from freehold.planning.change import Change
from freehold.providers.incus.snapshots.reading import Look, Target

INCUS_MAY_TAKE = timedelta(hours=1)
"""From the beginning of an hour, day … on it is Incus's turn that long."""


def scheduled(now: datetime) -> Asked:
    """`now` is in the time zone in which days begin."""

    def asked(seen: Seen) -> tuple[Sequence[Change], Sequence[Diagnostic]]:
        return [*_due(seen, now), *_let_go(seen, now)], []

    return asked


def newest_scheduled(target: Target) -> datetime | None:
    """When a schedule last made a whole snapshot of it."""
    times = [s.made for s in target.snapshots if s.has_disk and is_scheduled_name(s.name)]
    return max(times, default=None)


def with_schedules(infra: Infra, look: Look) -> Iterator[tuple[Machine, Target]]:
    """The machines of infra.yml that have a schedule, and are there."""
    targets = {target.key: target for target in look.targets}
    for machine in infra.machines():
        if machine.snapshots.is_scheduled and machine.key in targets:
            yield machine, targets[machine.key]


def _due(seen: Seen, now: datetime) -> Iterator[Change]:
    """One that does not run has nothing new; one that is half-way back to a snapshot is not what it should be."""
    asking: defaultdict[str, list[Target]] = defaultdict(list)
    name = scheduled_name(now)
    for machine, target in with_schedules(seen.infra, seen.look):
        newest = newest_scheduled(target)
        is_late = due(newest, machine.snapshots.schedule, now - INCUS_MAY_TAKE)
        is_ours = newest is None or is_late or not machine.is_scheduled_by_incus
        is_well = target.status == "Running" and target.restoring is None
        if target.snapshot(name):
            continue
        if is_ours and is_well and due(newest, machine.snapshots.schedule, now):
            asking[machine.domain].append(target)
    for domain, targets in asking.items():
        yield creation(domain, name, targets, together=False)


def _let_go(seen: Seen, now: datetime) -> Iterator[Change]:
    going: defaultdict[tuple[str, str], list[Target]] = defaultdict(list)
    for machine, target in with_schedules(seen.infra, seen.look):
        made = {s.name: s.made for s in target.snapshots}
        for name in thinned(made, machine.snapshots.keep, now):
            going[machine.domain, name].append(target)
    for (domain, name), targets in sorted(going.items()):
        yield deletion(domain, name, targets)
