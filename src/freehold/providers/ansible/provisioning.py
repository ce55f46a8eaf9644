"""What goes inside a machine, as one resource: `provision:homelab/llm`. Part of the Ansible provider.

Its fields are the inputs of Ansible's run (`fingerprint.py`). Those of the last run that ended well are kept on the instance,
in `user.freehold.provisioned`, which goes with the instance when it is deleted and comes back with a snapshot that is restored. So a
machine whose inputs are the same costs a comparison, and no Ansible.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import Infra, Machine
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.protocol import Report, Step
from freehold.system.ansible import Play, Playbooks, PlayEnd, TaskFailure
from freehold.system.incus.api import Incus

KIND = Kind(name="provision", rank=5)
MARK = "user.freehold.provisioned"
TAG = "provision"

_LOGS_KEPT = 5  # of each machine
_REASON_LINES = 8
_ONES_OWN = "instance"


def provision_address(machine: Machine) -> Address:
    """The address of what goes inside a machine."""
    return Address(machine.domain, KIND.name, machine.name)


def provisioned(infra: Infra) -> list[Machine]:
    """The machines that infra.yml puts something into."""
    return [machine for machine in infra.machines() if machine.provision.asks]


def desired_provision(machine: Machine, inputs: Fields, tree: Collection[Address]) -> Desired:
    """It needs its machine, and the tree that Ansible reads."""
    instance = Address(machine.domain, _ONES_OWN, machine.name)
    return Desired(
        address=provision_address(machine),
        fields={**inputs, "name": machine.instance},
        depends_on=frozenset({instance, *tree}),
    )


async def observed_provision(incus: Incus, infra: Infra) -> dict[Address, Observed]:
    """What the machines remember of their last run; nothing for those that never had one."""
    wanted = {(machine.domain, machine.instance): machine for machine in provisioned(infra)}
    if not wanted:
        return {}
    found: dict[Address, Observed] = {}
    everything = {"recursion": "1", "all-projects": "true"}
    for raw in await incus.get("/instances", **everything):
        machine = wanted.get((raw["project"], raw["name"]))
        fields = _remembered(raw["config"].get(MARK))
        if machine is not None and fields is not None:
            address = provision_address(machine)
            found[address] = Observed(address=address, fields=fields)
    return found


def _remembered(text: str | None) -> Fields | None:
    """The fields as they were written; None when there are none, or not ours (it is done again then)."""
    with contextlib.suppress(ValueError, TypeError):
        found = json.loads(text or "")
        if isinstance(found, dict):
            return found
    return None


class ProvisionSteps:
    """How a machine is provisioned. At most as many plays at once as this computer has processors: each keeps one busy.

    `done` receives the addresses of those that were.
    """

    def __init__(self, incus: Incus, playbooks: Playbooks, logs: Path, done: set[Address]) -> None:
        self._incus = incus
        self._playbooks = playbooks
        self._logs = logs
        self._done = done
        self._places = asyncio.Semaphore(max(2, os.cpu_count() or 1))

    def of(self, change: Change) -> Sequence[Step]:
        """Ansible's run, then the note that it ended well."""
        fields = change.desired
        if fields is None:  # it goes with its machine
            return []
        name = str(fields["name"])

        async def play(report: Report) -> None:
            await self._play(change.address, name, report)

        async def note(report: Report) -> None:
            await self._note(change.address.domain, name, fields)
            self._done.add(change.address)

        return [
            Step(f"provision {name}", play, only_waits=True),
            Step(f"note on {name} what it was provisioned with", note),
        ]

    async def _play(self, address: Address, name: str, report: Report) -> None:
        async with self._places:
            log = new_log(self._logs, name)
            end = await self._playbooks.run(Play(host=name, tags=[TAG], log=log), report)
        if end.failed:
            raise BackendError(*problems(address, end, log))

    async def _note(self, project: str, name: str, fields: Fields) -> None:
        text = json.dumps(dict(fields), sort_keys=True, separators=(",", ":"))
        await self._incus.send(
            "PATCH", f"/instances/{name}", {"config": {MARK: text}}, project=project
        )


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
            summary="Ansible failed on a machine",
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
    summary = (
        "A machine could not be reached by Ansible"
        if failure.unreachable
        else "A task failed inside a machine"
    )
    return Diagnostic(
        code="machine-unreachable" if failure.unreachable else "provisioning-failed",
        summary=summary,
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
