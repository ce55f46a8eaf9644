"""The Ansible provider: the tree beside infra.yml, and what goes inside the machines by it.

Made by `cli` with the estate's folder; driven by `engine` through `providers.protocol.Provider`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from freehold.config.collection import collection_folder
from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Kind
from freehold.providers.ansible import files, provisioning
from freehold.providers.ansible.files import TreeProvider
from freehold.providers.ansible.fingerprint import Inputs
from freehold.providers.ansible.inventory import groups_of
from freehold.providers.protocol import Observation, Step
from freehold.system.ansible import Playbooks
from freehold.system.incus.api import Incus

KINDS = {files.KIND.name: files.KIND, provisioning.KIND.name: provisioning.KIND}


class AnsibleProvider:
    """The tree in a folder, and the machines of an Incus. With `refresh`, what is inside is done again once."""

    def __init__(
        self, folder: Path, incus: Incus, playbooks: Playbooks, logs: Path, *, refresh: bool = False
    ) -> None:
        self._folder = folder
        self._incus = incus
        self._refresh = refresh
        self._done: set[Address] = set()
        self._tree = TreeProvider(folder)
        self._inside = provisioning.ProvisionSteps(incus, playbooks, logs, self._done)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return KINDS

    async def observe(self, infra: Infra) -> Observation:
        tree, inside = await asyncio.gather(
            self._tree.observe(infra), provisioning.observed_provision(self._incus, infra)
        )
        if self._refresh:
            inside = provisioning.refreshed(inside, self._done)
        return Observation({**tree.observed, **inside}, tree.diagnostics)

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        """Machines are provisioned from the tree as it is to be, which this plan writes first."""
        tree = self._tree.desired(infra, observation)
        machines = provisioning.provisioned(infra)
        if not machines:
            return tree
        inputs = Inputs(self._folder, self._tree.last.texts, collection_folder())
        inside = [
            provisioning.desired_provision(
                machine, inputs.fields(machine, groups_of(infra, machine)), tree
            )
            for machine in machines
        ]
        return {**tree, **{each.address: each for each in inside}}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        if change.address.kind == files.KIND.name:
            return self._tree.steps(estate, change)
        return self._inside.of(change)

    async def wait_ready(self, timeout: float) -> None:
        """The folder is always there, Ansible is a program, and its machines are Incus's."""
