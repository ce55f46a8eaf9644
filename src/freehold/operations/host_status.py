"""Reads what `status` shows of hosts: whether each lets us in, and what runs there. Called by `cli.status`."""

import asyncio
import re

from freehold.engine.planner import Picture
from freehold.model import Host, Infra
from freehold.operations.machine_status import HostState, HostStatus
from freehold.planning.address import Address
from freehold.planning.selection import Selection
from freehold.providers.ansible.inside import KIND, provision_address
from freehold.system.targets import TargetFailed, TargetMissing, Targets

_RELEASE = "/etc/os-release"  # os-release(5)
_NAME = re.compile(r'^PRETTY_NAME=(["\']?)(.*)\1$', re.MULTILINE)


async def read_hosts(
    targets: Targets, infra: Infra, picture: Picture, selection: Selection = Selection()
) -> tuple[HostStatus, ...]:
    """The selected hosts as they are now, asked all at once."""
    wanted = [host for host in infra.hosts if selection.includes(Address(host.name, KIND.name))]
    return tuple(await asyncio.gather(*(_host(targets, picture, host) for host in wanted)))


async def _host(targets: Targets, picture: Picture, host: Host) -> HostStatus:
    state, system, problem = HostState.REACHABLE, "", ""
    try:
        release = await targets.target(host.name).read(_RELEASE)
        system = system_name((release or b"").decode("utf-8", "replace"))
    except TargetMissing:
        state = HostState.MISSING
    except TargetFailed as error:
        state, problem = HostState.UNREACHABLE, error.diagnostics[0].detail
    return HostStatus(
        name=host.name,
        address=host.address,
        user=host.ssh.user,
        port=host.ssh.port,
        state=state,
        system=system,
        problem=problem,
        drift=_drift(picture, host),
    )


def system_name(release: str) -> str:
    """What a system calls itself in its os-release; empty when it does not."""
    found = _NAME.search(release)
    return found[2] if found else ""


def _drift(picture: Picture, host: Host) -> tuple[str, ...]:
    """The inputs of its provisioning that differ, and that nothing is there yet."""
    address = provision_address(host)
    for change in picture.plan.changes:
        if change.address == address:
            created = change.observed is None
            return ("provision",) if created else tuple(field.path for field in change.fields)
    return ()
