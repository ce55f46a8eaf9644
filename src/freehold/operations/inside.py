"""Is what goes inside machines still there? Ansible's check mode on each, which changes nothing. Called by `cli.verify --deep`.

The plan compares inputs and does not look inside; this does, and takes Ansible's time for it.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import Infra
from freehold.planning.selection import Selection
from freehold.providers.ansible.inside import provision_address, provisioned
from freehold.providers.ansible.inventory import Inhabited, inventory_name
from freehold.providers.ansible.provisioning import TAG, ansible_way, new_log, problems
from freehold.system.ansible import Play, Playbooks
from freehold.system.targets import Targets

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """One machine or host looked into. `different` are the tasks that would change something; `problems` say why it could not be told.

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
    playbooks: Playbooks,
    targets: Targets,
    infra: Infra,
    selection: Selection,
    logs: Path,
    told: Told,
) -> Sequence[Inside]:
    """Every machine and host that has something to be inside, in the order of their names; as many at once as there are processors."""
    places = asyncio.Semaphore(max(2, os.cpu_count() or 1))
    wanted = [each for each in provisioned(infra) if selection.includes(provision_address(each))]

    async def one(each: Inhabited) -> Inside:
        async with places:
            return await _one(playbooks, targets, each, logs, told)

    return await asyncio.gather(*(one(each) for each in wanted))


async def _one(
    playbooks: Playbooks, targets: Targets, each: Inhabited, logs: Path, told: Told
) -> Inside:
    name, address = inventory_name(each), provision_address(each)
    log = new_log(logs, name)
    try:
        way = await ansible_way(targets, address)
        play = Play(host=name, tags=[TAG], log=log, check=True, variables=way)
        end = await playbooks.run(play, lambda text: told(f"{each.key}: {text}"))
    except BackendError as error:
        return Inside(machine=each.key, log=log, problems=tuple(error.diagnostics))
    return Inside(
        machine=each.key,
        log=log,
        tasks=end.tasks,
        different=tuple(dict.fromkeys(end.changed)),
        problems=tuple(problems(address, end, log)) if end.failed else (),
    )
