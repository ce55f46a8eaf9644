"""Is everything as declared? The plan must be empty, nothing left over, and every machine must really have its address.

Called by `cli.verify`. Changes nothing.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from freehold.diagnostics import Diagnostic, has_errors
from freehold.engine.planner import Picture, Planner
from freehold.planning.plan import Plan
from freehold.planning.resource import Fields
from freehold.providers.incus.instances import KIND
from freehold.providers.incus.readiness import addresses
from freehold.system.incus.api import Incus
from freehold.system.timers.api import Timers


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what was found."""

    plan: Plan
    machines: int
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs. Orphans differ: they run and infra.yml does not say so. What was not measured may."""
        return self.is_as_declared and not self.plan.not_measured

    @property
    def is_as_declared(self) -> bool:
        """Whether all that could be looked at is as it should be."""
        return self.plan.is_empty and not self.plan.orphans and not has_errors(self.diagnostics)


async def verify_estate(
    planner: Planner, incus: Incus, timers: Timers | None = None
) -> Verification:
    """Look at everything. `timers` are those of the host, None where they cannot be seen.

    Raises BackendError when a system cannot be read.
    """
    from freehold.operations.snapshots.late import late_schedules  # only this verb needs it

    picture = await planner.look()
    running = list(_running(planner, picture))
    found = await asyncio.gather(
        *(_address_problem(incus, domain, fields) for domain, fields in running)
    )
    now = datetime.now().astimezone()
    late = await late_schedules(planner.infra, planner.selection, incus, timers, now)
    problems = (*(problem for problem in found if problem is not None), *late)
    return Verification(picture.plan, len(running), (*picture.plan.diagnostics, *problems))


def _running(planner: Planner, picture: Picture) -> list[tuple[str, Fields]]:
    return [
        (address.domain, desired.fields)
        for address, desired in picture.desired.items()
        if address.kind == KIND.name
        and planner.selection.includes(address)
        and (seen := picture.observed.get(address)) is not None
        and seen.owned
        and seen.fields["state"] == "running"
    ]


async def _address_problem(incus: Incus, domain: str, fields: Fields) -> Diagnostic | None:
    wanted = fields["devices"]["eth0"]["ipv4.address"]
    state = await incus.get(f"/instances/{fields['name']}/state", project=domain)
    found = list(addresses(state))
    if wanted in found:
        return None
    return Diagnostic(
        code="wrong-address",
        summary="A machine does not have its address",
        detail=f"{fields['name']} is to have {wanted}; "
        + (f"it has {', '.join(found)}." if found else "it has no address."),
        hint="Restart it, so that it asks for its address again:\n"
        f"    incus restart --project {domain} {fields['name']}",
    )
