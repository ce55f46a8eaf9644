"""One look at everything that `status` and `ui` tell. Called by their modules of `cli`; it changes nothing.

Whatever needs a system is asked at once: machines, hosts, schedules of snapshots, certificates.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from freehold.diagnostics import Diagnostic
from freehold.engine.journal import PastRun, past_runs
from freehold.engine.lock import at_work
from freehold.engine.planner import Picture, Planner
from freehold.operations.host_status import read_hosts
from freehold.operations.machine_status import Status
from freehold.operations.overview.certificates import certificates, ingresses
from freehold.operations.overview.facts import Overview, ServedCertificate
from freehold.operations.overview.needs import last_change, needs
from freehold.operations.service_status import services_of
from freehold.operations.status import read_status
from freehold.operations.traffic.kept import kept
from freehold.operations.updates import Update, not_looked_at, updates
from freehold.providers.compose.places import service_address
from freehold.system.incus.api import Incus
from freehold.system.targets import Targets
from freehold.system.timers.api import Timers

RUNS = 10  # those that are told; `freehold log` has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where to look beside the plan: the estate's folder, Incus, the way onto targets, and the host's timers (None: not seen from here).

    `lab` finds the process that holds the lab's network, and None where that is this computer's; it is asked only when that matters.
    """

    folder: Path
    incus: Incus
    targets: Targets
    timers: Timers | None = None
    lab: Callable[[], int | None]


async def look(
    planner: Planner, around: Surroundings, warnings: Sequence[Diagnostic] = ()
) -> Overview:
    """Everything as it is now. `warnings` are those of infra.yml. Raises BackendError when Incus cannot be read."""
    started = time.monotonic()
    picture = await planner.look()
    status, late = await asyncio.gather(_status(planner, around, picture), _late(planner, around))
    served = await _certificates(planner, around, status)
    # What infra.yml and the plan say may be the same.
    diagnostics = tuple(dict.fromkeys((*warnings, *picture.plan.diagnostics, *late)))
    found = Overview(
        at=datetime.now(UTC),
        seconds=time.monotonic() - started,
        infra=planner.infra,
        plan=picture.plan,
        status=status,
        runs=_runs(around.folder),
        at_work=at_work(around.folder),
        certificates=served,
        updates=_updates(planner, picture),
        isolation=kept(around.folder),
        diagnostics=diagnostics,
    )
    return replace(found, needs=needs(found))


def _runs(folder: Path) -> tuple[PastRun, ...]:
    """The latest, and the last that changed something: snapshots by the hour would hide it."""
    runs = past_runs(folder)
    latest = tuple(islice(runs, RUNS))
    before = None if last_change(latest) else last_change(runs)
    return (*latest, before) if before else latest


def _updates(planner: Planner, picture: Picture) -> tuple[Update, ...]:
    """Of the services that were asked about."""
    asked = planner.selection.includes
    found = updates(planner.infra, picture.observed, not_looked_at(picture.plan))
    return tuple(each for each in found if asked(service_address(each.target, each.name)))


async def _status(planner: Planner, around: Surroundings, picture: Picture) -> Status:
    infra, selection = planner.infra, planner.selection
    machines, hosts = await asyncio.gather(
        read_status(around.incus, infra, picture, selection),
        read_hosts(around.targets, infra, picture, selection),
    )
    return replace(machines, hosts=hosts, services=services_of(infra, picture, selection))


async def _late(planner: Planner, around: Surroundings) -> Sequence[Diagnostic]:
    """Schedules of snapshots that have fallen behind."""
    if not any(machine.snapshots.is_scheduled for machine in planner.infra.machines()):
        return ()
    from freehold.operations.snapshots.late import late_schedules

    now = datetime.now().astimezone()
    return await late_schedules(planner.infra, planner.selection, around.incus, around.timers, now)


async def _certificates(
    planner: Planner, around: Surroundings, status: Status
) -> tuple[ServedCertificate, ...]:
    addresses = {machine.machine: machine.declared_address for machine in status.machines}
    asked = ingresses(planner.infra, addresses, planner.selection)
    return await certificates(asked, around.lab()) if asked else ()
