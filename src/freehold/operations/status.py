"""Reads what `status` shows: a plan's two sides, and the addresses that running machines really have.

Called by `cli.status`. The values are in `machine_status.py`, for `views` may not reach the outside world.
"""

import asyncio
from collections.abc import Mapping

from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.operations.machine_status import MISSING, MachineStatus, Status
from freehold.planning.address import Address
from freehold.planning.resource import Desired
from freehold.planning.selection import Selection
from freehold.providers.incus.instances import KIND
from freehold.providers.incus.readiness import addresses
from freehold.system.incus.api import Incus, IncusError

__all__ = ["MachineStatus", "Status", "read_status"]

_CONCURRENCY = 16  # reads at once; the daemon has other work


async def read_status(
    incus: Incus, infra: Infra, picture: Picture, selection: Selection = Selection()
) -> Status:
    """The selected machines of the estate as they are now. Raises BackendError when Incus cannot be read."""
    slots = asyncio.Semaphore(_CONCURRENCY)
    wanted = [
        desired
        for address, desired in sorted(picture.desired.items())
        if address.kind == KIND.name and selection.includes(address)
    ]
    machines = await asyncio.gather(*(_machine(incus, picture, each, slots) for each in wanted))
    return Status(
        estate=infra.name,
        machines=tuple(machines),
        orphans=tuple(orphan.address for orphan in picture.plan.orphans),
        changes=len(picture.plan.changes),
        problems=sum(diagnostic.is_error for diagnostic in picture.plan.diagnostics),
    )


async def _machine(
    incus: Incus, picture: Picture, desired: Desired, slots: asyncio.Semaphore
) -> MachineStatus:
    fields = desired.fields
    seen = picture.observed.get(desired.address)
    state = str(seen.fields["state"]) if seen is not None and seen.owned else MISSING
    found: tuple[str, ...] = ()
    if state == "running":
        async with slots:
            found = await _addresses(incus, desired.address.domain, fields["name"])
    return MachineStatus(
        name=fields["name"],
        machine=desired.address.path,
        domain=desired.address.domain,
        type=fields["type"],
        image=fields["image"],
        state=state,
        declared_address=fields["devices"]["eth0"]["ipv4.address"],
        addresses=found,
        drift=_drift(picture, desired.address) if state != MISSING else (),
    )


async def _addresses(incus: Incus, project: str, name: str) -> tuple[str, ...]:
    """None for a machine that went away since it was listed."""
    try:
        state: Mapping[str, object] = await incus.get(f"/instances/{name}/state", project=project)
    except IncusError as error:
        if error.status == 404:
            return ()
        raise
    return tuple(addresses(state))


def _drift(picture: Picture, address: Address) -> tuple[str, ...]:
    for change in picture.plan.changes:
        if change.address == address:
            return tuple(field.path for field in change.fields)
    return ()
