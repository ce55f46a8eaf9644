"""When is a machine up? When it really has the address that it is to have.

For a container the kernel shows its addresses. For a VM Incus shows the DHCP lease until the agent answers, so the agent
must be there too: only then does the state count processes.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import MachineType
from freehold.planning.resource import Fields
from freehold.providers.protocol import Report
from freehold.system.incus.api import Incus

PATIENCE = {MachineType.CONTAINER: 60.0, MachineType.VM: 300.0}  # seconds
_FIRST_PAUSE = 0.1  # each look costs the daemon ~10 ms of work, so the pauses grow
_LONGEST_PAUSE = 0.4


def addresses(state: Mapping[str, Any]) -> Iterator[str]:
    """The addresses that `GET /instances/NAME/state` shows, without loopback and link-local ones."""
    for network in (state.get("network") or {}).values():
        for address in network["addresses"]:
            if address["scope"] == "global":
                yield address["address"]


async def wait_for_address(incus: Incus, project: str, fields: Fields, report: Report) -> None:
    """Return once the machine has its declared address. Raises BackendError when it does not get it in time."""
    machine_type = MachineType(fields["type"])
    patience = PATIENCE[machine_type]
    wanted = fields["devices"]["eth0"]["ipv4.address"]
    report(f"waiting for {wanted}")
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        state = await incus.get(f"/instances/{fields['name']}/state", project=project)
        found = list(addresses(state))
        has_agent = machine_type is MachineType.CONTAINER or state["processes"] >= 0
        if wanted in found and has_agent:
            return
        if time.monotonic() > deadline:
            raise _not_up(project, fields, found, has_agent)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _not_up(project: str, fields: Fields, found: list[str], has_agent: bool) -> BackendError:
    wanted = fields["devices"]["eth0"]["ipv4.address"]
    patience = PATIENCE[MachineType(fields["type"])]
    has = f"it has {', '.join(found)}" if found else "it has no address at all"
    agent = "" if has_agent else ", and its agent (incus-agent) does not answer"
    return BackendError(
        Diagnostic(
            code="machine-not-up",
            summary="A machine did not come up with its address",
            detail=f"{fields['name']} was to have {wanted} within {patience:.0f} seconds; {has}{agent}.",
            hint="Look inside (its network must be set up by DHCP):\n"
            f"    incus exec --project {project} {fields['name']} -- ip address",
        )
    )
