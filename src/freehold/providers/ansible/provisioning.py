"""What goes inside a machine or onto a host, as one resource: `provision:homelab/llm`, `provision:cortex`. Part of the Ansible provider.

Its fields are the inputs of Ansible's run (`fingerprint.py`). Those of the last run that ended well are remembered where they went
(`memory.py`), so a machine whose inputs are the same costs a comparison, and no Ansible.
"""

import asyncio
import contextlib
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import Host
from freehold.planning.address import HOST, Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Fields, Observed
from freehold.providers.ansible.fingerprint import SECRETS
from freehold.providers.ansible.inside import provision_address
from freehold.providers.ansible.inventory import Inhabited, inventory_name
from freehold.providers.ansible.memory import Memory
from freehold.providers.protocol import Report, Step
from freehold.system.ansible import Play, Playbooks, PlayEnd, TaskFailure
from freehold.system.secrets import Secrets, settled
from freehold.system.targets import Targets

TAG = "provision"

_LOGS_KEPT = 5  # of each machine
_REASON_LINES = 8
_ONES_OWN = "instance"
_SECRET = "secret"  # noqa: S105 - a kind of resource


def desired_provision(each: Inhabited, inputs: Fields, tree: Collection[Address]) -> Desired:
    """It needs its machine, the tree that Ansible reads, and the secrets that Ansible asks for. Hosts are there."""
    machine = [] if isinstance(each, Host) else [Address(each.domain, _ONES_OWN, each.name)]
    secrets = [Address(HOST, _SECRET, name) for name in inputs.get(SECRETS, ())]
    return Desired(
        address=provision_address(each),
        fields={**inputs, "name": inventory_name(each)},
        depends_on=frozenset({*machine, *tree, *secrets}),
    )


class ProvisionSteps:
    """How a machine or host is provisioned. At most as many plays at once as this computer has processors: each keeps one busy.

    `done` receives the addresses of those that were.
    """

    def __init__(
        self,
        memory: Memory,
        targets: Targets,
        playbooks: Playbooks,
        logs: Path,
        secrets: Secrets,
        done: set[Address],
    ) -> None:
        self._memory = memory
        self._targets = targets
        self._playbooks = playbooks
        self._logs = logs
        self._secrets = secrets
        self._done = done
        self._places = asyncio.Semaphore(max(2, os.cpu_count() or 1))

    def of(self, estate: str, change: Change) -> Sequence[Step]:
        """Ansible's run, then the note that it ended well."""
        fields = change.desired
        if fields is None:  # it goes with its machine
            return []
        name = str(fields["name"])

        async def play(report: Report) -> None:
            await self._play(change.address, name, report)

        async def note(report: Report) -> None:
            await self._memory.note(estate, change.address, self._settled(fields))
            self._done.add(change.address)

        return [
            Step(f"provision {name}", play, only_waits=True),
            Step(f"note on {name} what it was provisioned with", note),
        ]

    def _settled(self, fields: Fields) -> Fields:
        """A secret that was made in this run has a fingerprint only now."""
        if SECRETS not in fields:
            return fields
        return {**fields, SECRETS: settled(fields[SECRETS], self._secrets)}

    async def _play(self, address: Address, name: str, report: Report) -> None:
        async with self._places:
            log = new_log(self._logs, name)
            way = await ansible_way(self._targets, address)
            play = Play(host=name, tags=[TAG], log=log, variables=way)
            end = await self._playbooks.run(play, report)
        if end.failed:
            raise BackendError(*problems(address, end, log))


async def ansible_way(targets: Targets, address: Address) -> Mapping[str, object]:
    """With what Ansible gets there. Raises TargetUnreached."""
    return {} if address.name else await targets.ansible_variables(address.domain)


def new_log(folder: Path, name: str) -> Path:
    """Where the next play on a machine is written down; the oldest of its logs go."""
    with contextlib.suppress(OSError):
        for old in sorted(folder.glob(f"{name}-*.log"))[: -(_LOGS_KEPT - 1)]:
            old.unlink()
    return folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.log"


def problems(address: Address, end: PlayEnd, log: Path) -> list[Diagnostic]:
    """What to tell of a play that failed: each task, or Ansible's last words when it names none."""
    if end.failures:
        return [_failed(address, failure, log) for failure in end.failures]
    return [
        Diagnostic(
            code="provisioning-failed",
            summary=f"Ansible failed {'in a machine' if address.name else 'on a host'}",
            detail=f"{address.path}: no task of its own failed. Ansible's last words:\n{end.words}",
            hint=_hint(log),
        )
    ]


def _failed(address: Address, failure: TaskFailure, log: Path) -> Diagnostic:
    where = f"role {failure.role}, " if failure.role else ""
    reason = failure.reason.splitlines()
    shown = [line[:400] for line in reason[:_REASON_LINES]]
    if len(reason) > _REASON_LINES:
        shown.append(f"… and {len(reason) - _REASON_LINES} lines more in the log")
    what, place = ("machine", "inside a") if address.name else ("host", "on a")
    lost = "machine-unreachable" if address.name else "host-unreachable"
    return Diagnostic(
        code=lost if failure.unreachable else "provisioning-failed",
        summary=f"A {what} could not be reached by Ansible"
        if failure.unreachable
        else f"A task failed {place} {what}",
        detail="\n".join([f"{address.path}: {where}task “{failure.task}”:", *shown]),
        hint=_hint(log),
    )


def _hint(log: Path) -> str:
    return f"Mend it and run apply again: what is done is not done twice. All that Ansible said:\n    less {log}"


def refreshed(
    observed: Mapping[Address, Observed], done: Collection[Address]
) -> dict[Address, Observed]:
    """The same, with every machine to be provisioned again whatever it remembers, but those that were in this run."""
    asked: dict[str, Any] = {"refresh": "asked for"}
    return {
        address: seen
        if address in done
        else Observed(address=address, fields={**seen.fields, **asked})
        for address, seen in observed.items()
    }
