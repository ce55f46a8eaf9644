"""Is what goes inside machines still there? Ansible's check mode on each, which changes nothing. Called by `cli.verify --deep`.

The plan compares inputs and does not look inside; this does, and takes Ansible's time for it.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import Infra, Machine
from freehold.planning.selection import Selection
from freehold.providers.ansible.provisioning import (
    TAG,
    new_log,
    problems,
    provision_address,
    provisioned,
)
from freehold.system.ansible import Play, Playbooks

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """One machine looked into. `different` are the tasks that would change something; `problems` say why it could not be told.

    `tasks` is how many were tried; `log` has all that Ansible said, differences of files included.
    """

    machine: str
    log: Path
    tasks: int = 0
    different: tuple[str, ...] = ()
    problems: tuple[Diagnostic, ...] = ()

    @property
    def is_clean(self) -> bool:
        return not (self.different or self.problems)


async def look_inside(
    playbooks: Playbooks, infra: Infra, selection: Selection, logs: Path, told: Told
) -> Sequence[Inside]:
    """Every machine that has something to be inside, in the order of their names; as many at once as there are processors."""
    places = asyncio.Semaphore(max(2, os.cpu_count() or 1))
    machines = [
        machine for machine in provisioned(infra) if selection.includes(provision_address(machine))
    ]

    async def one(machine: Machine) -> Inside:
        async with places:
            return await _one(playbooks, machine, logs, told)

    return await asyncio.gather(*(one(machine) for machine in machines))


async def _one(playbooks: Playbooks, machine: Machine, logs: Path, told: Told) -> Inside:
    log = new_log(logs, machine.instance)
    play = Play(host=machine.instance, tags=[TAG], log=log, check=True)
    try:
        end = await playbooks.run(play, lambda text: told(f"{machine.key}: {text}"))
    except BackendError as error:
        return Inside(machine=machine.key, log=log, problems=tuple(error.diagnostics))
    return Inside(
        machine=machine.key,
        log=log,
        tasks=end.tasks,
        different=tuple(dict.fromkeys(end.changed)),
        problems=tuple(problems(provision_address(machine), end, log)) if end.failed else (),
    )
