"""The Ansible provider: the tree beside infra.yml, and what goes inside the machines and onto the hosts by it.

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
from freehold.providers.ansible import files, inside, provisioning
from freehold.providers.ansible.files import TreeProvider
from freehold.providers.ansible.fingerprint import Inputs
from freehold.providers.ansible.memory import Memory, remembered
from freehold.providers.protocol import Observation, Step
from freehold.system.ansible import Playbooks
from freehold.system.incus.api import Incus
from freehold.system.secrets import Secrets
from freehold.system.targets import Targets

KINDS = {files.KIND.name: files.KIND, inside.KIND.name: inside.KIND}


class AnsibleProvider:
    """The tree in a folder, the machines of an Incus, and hosts. With `refresh`, what is inside is done again once."""

    def __init__(
        self,
        folder: Path,
        incus: Incus,
        targets: Targets,
        playbooks: Playbooks,
        logs: Path,
        secrets: Secrets,
        *,
        refresh: bool = False,
    ) -> None:
        self._folder = folder
        self._incus = incus
        self._targets = targets
        self._secrets = secrets
        self._refresh = refresh
        self._done: set[Address] = set()
        self._tree = TreeProvider(folder)
        self._inside = provisioning.ProvisionSteps(
            Memory(incus, targets), targets, playbooks, logs, secrets, self._done
        )

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return KINDS

    async def observe(self, infra: Infra) -> Observation:
        tree, found = await asyncio.gather(
            self._tree.observe(infra), remembered(self._incus, self._targets, infra)
        )
        within = found.observed
        if self._refresh:
            within = provisioning.refreshed(within, self._done)
        everything = {**tree.observed, **within}
        return Observation(everything, tree.diagnostics, unreached=found.unreached)

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        """All are provisioned from the tree as it is to be, which this plan writes first."""
        tree = self._tree.desired(infra, observation)
        places = inside.provisioned(infra)
        if not places:
            return tree
        inputs = Inputs(self._folder, self._tree.last.texts, collection_folder(), self._secrets)
        wanted = [
            provisioning.desired_provision(each, inputs.fields(each), tree) for each in places
        ]
        return {**tree, **{each.address: each for each in wanted}}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        if change.address.kind == files.KIND.name:
            return self._tree.steps(estate, change)
        return self._inside.of(estate, change)

    async def wait_ready(self, timeout: float) -> None:
        """The folder is always there, Ansible is a program, and its machines are Incus's."""
