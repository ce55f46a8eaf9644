"""Lets the estate's bridges pass Docker's firewall, in the chain that Docker keeps for the administrator's rules.

Docker makes iptables drop whatever is forwarded and not its own; a drop is final, so our table cannot undo it. Where it
does so, its chain DOCKER-USER is to hold rules of ours; elsewhere there is nothing to do. Our own table decides
about every packet all the same. Driven by `engine` beside `provider.py`.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.protocol import Observation, Report, Step
from freehold.system.docker_user import DockerFilter, wanted_rules

KIND = Kind(name="docker-user", rank=0)
ADDRESS = Address(HOST, KIND.name)


class Chain(Protocol):
    """The chain DOCKER-USER of one network (`system.docker_user`)."""

    def read(self) -> tuple[DockerFilter, ...] | None:
        """What is in it, on the sides that Docker made; None where there is none."""

    def write(self, estate: str, bridges: Iterable[str]) -> None:
        """Have exactly the rules for these bridges in it. Raises BackendError."""


class DockerProvider:
    """The rules of an estate in Docker's chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._is_needed = False

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {KIND.name: KIND}

    async def observe(self, infra: Infra) -> Observation:
        sides = await asyncio.to_thread(self._chain.read) or ()
        passing = {bridge for side in sides for bridge in _passing(side, infra.name)}
        is_used = any(side.ours(infra.name) for side in sides)
        self._is_needed = is_used or any(side.drops for side in sides)
        if not is_used:
            return Observation()
        whole = all(
            list(side.ours(infra.name)) == list(wanted_rules(infra.name, passing)) for side in sides
        )
        return Observation(
            {ADDRESS: Observed(address=ADDRESS, fields=_fields(passing, whole=whole))}
        )

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        """As in the look just taken: where Docker drops nothing, nothing is wanted of it."""
        if not self._is_needed or not infra.domains:
            return {}
        bridges = {domain.bridge for domain in infra.domains}
        return {ADDRESS: Desired(address=ADDRESS, fields=_fields(bridges, whole=True))}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        wanted = None if change.action is Action.DELETE else change.desired
        bridges = tuple(wanted["passing"]) if wanted is not None else ()

        async def write(report: Report) -> None:
            await asyncio.to_thread(self._chain.write, estate, bridges)

        return [Step("write the rules into DOCKER-USER", write)]

    async def wait_ready(self, timeout: float) -> None:
        """The kernel is always there."""


def _fields(bridges: Iterable[str], *, whole: bool) -> Mapping[str, object]:
    return {
        "passing": dict.fromkeys(sorted(bridges), True),
        "rules": "as Freehold writes them" if whole else "some are missing or changed",
    }


def _passing(side: DockerFilter, estate: str) -> Iterable[str]:
    """The bridges whose packets our rules accept: `-i net-pro … -j ACCEPT`."""
    for rule in side.ours(estate):
        words = rule.split()
        if words[0] == "-i" and words[-1] == "ACCEPT":
            yield words[1]
