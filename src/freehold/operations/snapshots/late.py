"""Have the schedules of snapshots fallen behind? Asked by `operations.verify`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from freehold.diagnostics import Diagnostic, Severity
from freehold.model import Infra, Machine
from freehold.model.snapshots import behind
from freehold.operations.snapshots.scheduled import newest_scheduled, with_schedules
from freehold.operations.snapshots.taking import moment
from freehold.planning.selection import Selection
from freehold.providers.incus.instances import instance_address
from freehold.providers.incus.snapshots.reading import Target, read_targets
from freehold.system.incus.api import Incus
from freehold.system.timers.api import Timers
from freehold.system.timers.job import LastRun

_SILENCE = timedelta(hours=3)  # the timer goes off every hour


async def late_schedules(
    infra: Infra, selection: Selection, incus: Incus, timers: Timers | None, now: datetime
) -> list[Diagnostic]:
    """What is late, and what went wrong the last time. Nothing is asked when no machine has a schedule.

    `timers` is None where they cannot be seen; `now` is in a time zone. Raises BackendError.
    """
    if not any(machine.snapshots.is_scheduled for machine in infra.machines()):
        return []
    state = await timers.read(infra.name) if timers else None
    look = await read_targets(incus, infra.name)
    late = [
        problem
        for machine, target in with_schedules(infra, look)
        if selection.includes(instance_address(machine.domain, machine.name))
        and (problem := _late(machine, target, now))
    ]
    return [*(_of_the_timer(state.last, now) if state else ()), *late]


def _of_the_timer(last: LastRun | None, now: datetime) -> Iterator[Diagnostic]:
    if last is None:
        return
    if last.code != 0:
        yield Diagnostic(
            code="snapshot-timer-failed",
            summary="The last scheduled snapshots failed",
            detail=f"`freehold snapshot due` ended with exit code {last.code} at {moment(last.at)}"
            + (f": {last.output.splitlines()[-1]}" if last.output else "."),
            hint="Do it again and look at what it says:\n    freehold snapshot due",
        )
    elif now - last.at > _SILENCE:
        yield Diagnostic(
            code="snapshot-timer-silent",
            summary="The timer of scheduled snapshots is silent",
            detail=f"It should go off every hour, and last did at {moment(last.at)}.",
            hint="Was the computer off? Then it will catch up. Else start it anew:\n    freehold apply",
        )


def _late(machine: Machine, target: Target, now: datetime) -> Diagnostic | None:
    """One that does not run is another matter; one that never had any may have its schedule since a minute ago."""
    if target.status != "Running":
        return None
    newest = newest_scheduled(target)
    if newest is None:
        return _none_yet(machine)
    if not behind(newest, target.made, machine.snapshots.schedule, now):
        return None
    return Diagnostic(
        code="snapshots-behind",
        summary="A schedule of snapshots has fallen behind",
        detail=f"{machine.key}: {machine.snapshots.schedule}, and the last one is of {moment(newest)}.",
        hint="Take it now and see what is in the way:\n    freehold snapshot due",
    )


def _none_yet(machine: Machine) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="no-scheduled-snapshot",
        summary="A schedule has made no snapshot yet",
        detail=f"{machine.key}: {machine.snapshots.schedule}; the first one is taken within the hour.",
        hint="Or now:\n    freehold snapshot due",
    )
