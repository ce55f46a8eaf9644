"""What machines and hosts remember of the last run of Ansible that ended well. Part of the Ansible provider.

A machine's is kept on the instance, in `user.freehold.provisioned`: it goes with the instance when that is deleted and comes back with a snapshot that
is restored. A host's is a file on the host itself, read once for each look.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from freehold.diagnostics import Diagnostic
from freehold.model import Host, Infra, Machine
from freehold.planning.address import Address
from freehold.planning.resource import Fields, Observed
from freehold.providers.ansible.inside import provision_address, provisioned
from freehold.system.incus.api import Incus
from freehold.system.targets import TargetFailed, TargetMissing, Targets

MARK = "user.freehold.provisioned"

# The role host_ports notes what it has loaded; somebody may have flushed it since, and then its ports are open to all.
_PORTS_OPEN = 3
_LOOK_AT_PORTS = f"""
PATH="$PATH:/usr/sbin:/sbin"
[ -f "/var/lib/freehold/host_ports/$1.json" ] || exit 0
nft list table inet "freehold_ports_$1" >/dev/null 2>&1 || exit {_PORTS_OPEN}
"""


def host_file(estate: str) -> str:
    """Where a host keeps it."""
    return f"/var/lib/freehold/{estate}/provisioned.json"


@dataclass(slots=True)
class Remembered:
    """What was found, and the hosts that did not answer."""

    observed: dict[Address, Observed] = field(default_factory=dict)
    unreached: dict[str, Diagnostic] = field(default_factory=dict)


async def remembered(incus: Incus, targets: Targets, infra: Infra) -> Remembered:
    """All of it. Raises BackendError when Incus cannot be read."""
    hosts = [each for each in provisioned(infra) if isinstance(each, Host)]
    found = Remembered()
    await asyncio.gather(
        _on_machines(incus, infra, found),
        *(_on_host(targets, infra, each, found) for each in hosts),
    )
    return found


class Memory:
    """Where it is written down."""

    def __init__(self, incus: Incus, targets: Targets) -> None:
        self._incus = incus
        self._targets = targets

    async def note(self, estate: str, address: Address, fields: Fields) -> None:
        """A run with these inputs has ended well. Raises BackendError."""
        text = json.dumps(dict(fields), sort_keys=True, separators=(",", ":"))
        if address.name:
            path, body = f"/instances/{fields['name']}", {"config": {MARK: text}}
            await self._incus.send("PATCH", path, body, project=address.domain)
        else:
            target = self._targets.target(address.domain)
            await target.write(host_file(estate), text.encode(), mode="0600")


async def _on_machines(incus: Incus, infra: Infra, found: Remembered) -> None:
    machines = [each for each in provisioned(infra) if isinstance(each, Machine)]
    if not machines:
        return
    wanted = {(machine.domain, machine.instance): machine for machine in machines}
    everything = {"recursion": "1", "all-projects": "true"}
    for raw in await incus.get("/instances", **everything):
        if machine := wanted.get((raw["project"], raw["name"])):
            _add(found, provision_address(machine), raw["config"].get(MARK))


async def _on_host(targets: Targets, infra: Infra, host: Host, found: Remembered) -> None:
    """A host that does not answer keeps nobody else from being looked at."""
    target = targets.target(host.name)
    try:
        content, look = await asyncio.gather(
            target.read(host_file(infra.name)),
            target.run(["sh", "-c", _LOOK_AT_PORTS, "look", infra.name]),
        )
    except TargetMissing:
        return
    except TargetFailed as error:
        found.unreached[host.name] = error.diagnostics[0]
        return
    lost = {"ports": "their rules are not loaded"} if look.code == _PORTS_OPEN else {}
    text = None if content is None else content.decode("utf-8", "replace")
    _add(found, provision_address(host), text, lost)


def _add(
    found: Remembered, address: Address, text: str | None, lost: Mapping[str, str] | None = None
) -> None:
    """The fields as they were written, and what has been lost since; nothing when there are none, or not ours (it is done again then)."""
    with contextlib.suppress(ValueError, TypeError):
        fields = json.loads(text or "")
        if isinstance(fields, Mapping):
            fields = {**fields, **(lost or {})}
            found.observed[address] = Observed(address=address, fields=fields)
