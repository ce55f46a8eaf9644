"""The Compose provider: services as containers on hosts and machines, and the Compose file of each target in the estate's folder.

Made by `cli` with the estate's folder, its Incus, its targets and its secrets; driven by `engine` through `providers.protocol.Provider`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.model.services import Service
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Kind
from freehold.providers.compose import desired, files, look, moving, observing, places, sharing
from freehold.providers.compose.copies import Copies, not_copied
from freehold.providers.compose.data import Data
from freehold.providers.compose.desired import Wanted
from freehold.providers.compose.docker import Docker
from freehold.providers.compose.entry import taken_over, volumes_of
from freehold.providers.compose.files import ComposeFiles
from freehold.providers.compose.look import Found
from freehold.providers.compose.removal import removal
from freehold.providers.compose.update import Update
from freehold.providers.protocol import Observation, Step
from freehold.system.incus.api import Incus
from freehold.system.secrets import Secrets
from freehold.system.secrets.masking import Masking
from freehold.system.targets import TargetMissing, Targets

KINDS = {files.KIND.name: files.KIND, desired.KIND.name: desired.KIND}


class ComposeProvider:
    """The services of an estate. Without `files` the folder's Compose files are left as they are: all of the estate is to go.

    With `copies` the data of a service is copied before another image works on it.
    """

    def __init__(
        self,
        folder: Path,
        incus: Incus,
        targets: Targets,
        secrets: Secrets,
        *,
        files: bool = True,
        copies: bool = False,
    ) -> None:
        self._files = ComposeFiles(folder)
        self._with_files = files
        self._copies = copies
        self._incus = incus
        self._targets = targets
        self._secrets = secrets
        self._dockers: dict[str, Docker] = {}
        self._infra: Infra | None = None
        self._looks: Mapping[str, Found | BackendError] = {}

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return KINDS

    async def observe(self, infra: Infra) -> Observation:
        """All targets at once: those with services in infra.yml, and those where there were any."""
        names = await self._to_look_at(infra)
        looks = await asyncio.gather(*(self._look(infra, name) for name in names))
        files = await self._files.observed(infra) if self._with_files else {}
        self._looks = dict(zip(names, looks, strict=True))
        return observing.observation(infra, self._looks, files, ends=not self._with_files)

    async def _to_look_at(self, infra: Infra) -> list[str]:
        """Of the machines, those that run: what is in others this plan makes."""
        names = await self._files.targets() | {each.target for each in places.own_services(infra)}
        hosts = {name for name in names if infra.host(name)}
        machines = {name: machine for name in names if (machine := infra.machine(name))}
        if machines:
            everything = {"recursion": "1", "all-projects": "true"}
            found = await self._incus.get("/instances", **everything)
            run = {(raw["project"], raw["name"]) for raw in found if raw["status"] == "Running"}
            hosts |= {key for key, each in machines.items() if (each.domain, each.instance) in run}
        return sorted(hosts)

    async def _look(self, infra: Infra, name: str) -> Found | BackendError:
        try:
            return await look.look(self._targets.target(name), infra.name)
        except TargetMissing:  # a host that this plan makes
            return Found()
        except BackendError as error:
            return error

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        """Nothing is wanted of a target that could not be looked at: the rest goes on."""
        self._infra = infra
        prefix = f"{places.SERVICE}:"
        unseen = {key.removeprefix(prefix) for key in observation.unseen if key.startswith(prefix)}
        services = {
            each.name: desired.wanted(infra, each, self._secrets)
            for each in places.own_services(infra)
        }
        to_be = sharing.with_restarts(infra, services, observation.observed)
        said = moving.said_of_data(infra, self._looks, observation.observed)
        every = (
            *self._files.desired(desired.compose_texts(infra, services)),
            *desired.desired_services(infra, to_be, frozenset(unseen), said),
        )
        return {each.address: each for each in every}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        if change.address.kind == places.COMPOSE:
            return self._files.steps(change)
        docker = self._docker(estate, places.target_of(change.address))
        if change.action is Action.DELETE:
            return removal(change, docker)
        return self._update(change, docker).steps

    def _update(self, change: Change, docker: Docker) -> Update:
        """From infra.yml as it was looked at last: a change is carried out by the provider that made it."""
        infra, name = self._infra, places.name_of(change.address)
        assert infra is not None, change.address
        service = infra.service(name)
        assert service is not None, change.address

        def wanted() -> Wanted:
            return desired.wanted(infra, service, self._secrets, values=True)

        return Update(
            change,
            docker,
            wanted,
            lambda: Masking.of(self._secrets),
            keeps_secrets=bool(taken_over(service)),
            data=self._data(change, docker, service),
        )

    def _data(self, change: Change, docker: Docker, service: Service) -> Data:
        volumes = [f"{docker.estate}_{name}" for name in volumes_of(service)]
        assert self._infra is not None
        elsewhere = tuple(not_copied(self._infra, service))
        return Data(
            change, docker, Copies(docker, change.address, volumes), self._copies, elsewhere
        )

    def _docker(self, estate: str, target: str) -> Docker:
        """One for each target: its lock is that of all changes there."""
        if target not in self._dockers:
            self._dockers[target] = Docker(self._targets.target(target), estate)
        return self._dockers[target]

    async def wait_ready(self, timeout: float) -> None:
        """A target that goes away fails the change; the next run looks at it again."""
