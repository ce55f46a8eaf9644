"""The machine between the domains, beyond being an instance: its rules, and the host's routing to it.

With `network.firewall: machine` it is one resource, `router:host`, that comes after the machine itself. Without, what is
left of it is taken away again. Made by `cli`; driven by `engine` through `providers.protocol.Provider`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.model import Infra
from freehold.model.names import instance_name
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.firewall.desired import AS_WRITTEN
from freehold.providers.firewall.router.desired import (
    ADDRESS,
    AS_SET,
    KIND,
    desired_router,
    is_let_go,
    let_go,
    needs,
    way_of,
)
from freehold.providers.firewall.router.reading import Machine, machine_of, opened, rules_of, zones
from freehold.providers.firewall.ruleset import table_name
from freehold.providers.protocol import Observation, Report, Step
from freehold.system.incus.api import Incus, IncusError
from freehold.system.routing import Routing, Way


class RouterProvider:
    """The way of packets between domains through a machine, as Freehold sees it."""

    def __init__(self, incus: Incus, routing: Routing) -> None:
        self._incus = incus
        self._routing = routing

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {KIND.name: KIND}

    async def observe(self, infra: Infra) -> Observation:
        name = table_name(infra.name)
        way = await self._routing.way(name)
        if way is None:
            return Observation()
        machine = machine_of(await self._instance(way))
        fields = await self._fields(name, way, machine)
        seen = Observed(address=ADDRESS, fields=fields, depends_on=needs(way.project))
        return Observation({ADDRESS: seen})

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        if infra.transfer is not None:
            return {ADDRESS: desired_router(infra, infra.transfer)}
        if infra.domains and (seen := observation.observed.get(ADDRESS)):
            return {ADDRESS: let_go(seen)}
        return {}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        name = table_name(estate)
        if change.action is Action.DELETE or is_let_go(change.desired):
            return [
                Step("hand no packets over any more", lambda report: self._routing.forget(name))
            ]
        assert change.desired is not None
        return _Setting(self._incus, self._routing, name, change.desired).steps()

    async def wait_ready(self, timeout: float) -> None:
        """Incus is waited for by its own provider."""

    async def _instance(self, way: Way) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = await self._incus.get(
                f"/instances/{way.instance}", project=way.project
            )
        except IncusError as error:
            if error.status != 404:
                raise
            return None
        return found

    async def _fields(self, name: str, way: Way, machine: Machine) -> Fields:
        notes = {key: way.notes.get(key, {}) for key in ("way", "zones", "open")}
        fields = {"machine": {"name": _key(way), **machine.fields}, **notes}
        from freehold.providers.firewall.router.inside import (  # only where there is one
            Found,
            Inside,
        )

        inside = Inside(self._incus, way.project, way.instance)
        found = await inside.look(name, fields) if machine.runs else Found(problem=machine.state)
        faults = await self._routing.faults(name)
        listing = found.listing
        if listing is not None:
            fields |= {"zones": zones(listing), "open": opened(listing)}
        return {
            **fields,
            "rules": await rules_of(inside, name, fields, found),
            "at start": found.problem or (AS_WRITTEN if found.is_kept else "something else"),
            "routing": ", ".join(faults) or AS_SET,
        }


def _key(way: Way) -> str:
    prefix = instance_name(way.project, "")
    return f"{way.project}/{way.instance.removeprefix(prefix)}"


class _Setting:
    """The steps of one change: rules first, packets then."""

    def __init__(self, incus: Incus, routing: Routing, name: str, fields: Fields) -> None:
        from freehold.providers.firewall.router.inside import Inside

        self._routing = routing
        self._name = name
        self._fields = fields
        self._way = way_of(fields)
        self._inside = Inside(incus, self._way.project, self._way.instance)

    def steps(self) -> list[Step]:
        machine = self._way.instance
        return [
            Step(f"see that {machine} has nftables", self._prepare),
            Step(f"load the rules in {machine}", self._load),
            Step(f"hand packets between domains to {machine}", self._hand_over),
        ]

    async def _prepare(self, report: Report) -> None:
        await self._inside.prepare()

    async def _load(self, report: Report) -> None:
        await self._inside.load(self._name, self._fields)

    async def _hand_over(self, report: Report) -> None:
        await self._routing.keep(self._name, self._way)
