"""Several providers as one: what a firewall guards waits for it, and goes before it, whoever has which kind."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from freehold.engine.planner import Planner
from freehold.engine.systems import Systems
from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.planning.resource import Desired, Kind, Observed
from freehold.providers.protocol import Observation, Step

WALL, BOX = Address(HOST, "wall"), Address("a", "box", "x")
GROUND, ELSEWHERE = Address("a", "ground"), Address("b", "pot")


class One:
    """A provider with one resource; `there` says whether it exists."""

    def __init__(self, address: Address, kind: Kind, there: bool) -> None:
        self._address, self._kind, self._there = address, kind, there
        self.done: list[str] = []

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {self._kind.name: self._kind}

    async def observe(self, infra: Infra) -> Observation:
        seen = Observed(address=self._address, fields={})
        return Observation({self._address: seen} if self._there else {})

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        return {self._address: Desired(address=self._address, fields={"made": True})}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        raise AssertionError(f"{self._kind.name} is asked for {change.address}")

    async def wait_ready(self, timeout: float) -> None:
        return


def plan(infra: Infra, *, there: bool, destroy: bool = False) -> Plan:
    wall = One(WALL, Kind(name="wall", rank=0, guards=frozenset({"box"})), there)
    box = One(BOX, Kind(name="box", rank=1), there)
    systems = Systems(box, wall)
    return asyncio.run(Planner(infra=infra, provider=systems, destroy=destroy).look()).plan


@pytest.fixture
def infra() -> Infra:
    from ipaddress import IPv4Network

    return Infra(name="e", base=IPv4Network("10.100.0.0/16"))


def test_what_is_guarded_is_made_after_its_guard(infra: Infra) -> None:
    made = {change.address: change for change in plan(infra, there=False).changes}
    assert made[BOX].waits_for == {WALL}
    assert made[WALL].waits_for == frozenset()


def test_what_is_guarded_is_deleted_before_its_guard(infra: Infra) -> None:
    gone = {change.address: change for change in plan(infra, there=True, destroy=True).changes}
    assert gone[WALL].waits_for == {BOX}
    assert gone[BOX].waits_for == frozenset()


def carried(infra: Infra, *, there: bool, destroy: bool = False) -> Plan:
    ground = One(GROUND, Kind(name="ground", rank=0, carries=True), there)
    box = One(BOX, Kind(name="box", rank=1), there)
    systems = Systems(box, ground, One(ELSEWHERE, Kind(name="pot", rank=1), there))
    return asyncio.run(Planner(infra=infra, provider=systems, destroy=destroy).look()).plan


def test_what_stands_on_a_computer_waits_for_it_and_nothing_else_does(infra: Infra) -> None:
    made = {change.address: change.waits_for for change in carried(infra, there=False).changes}
    assert made == {GROUND: frozenset(), BOX: {GROUND}, ELSEWHERE: frozenset()}


def test_what_stands_on_a_computer_goes_before_it(infra: Infra) -> None:
    plan = carried(infra, there=True, destroy=True)
    gone = {change.address: change.waits_for for change in plan.changes}
    assert gone == {GROUND: {BOX}, BOX: frozenset(), ELSEWHERE: frozenset()}


def test_a_change_is_carried_out_by_the_provider_of_its_kind(infra: Infra) -> None:
    box = One(BOX, Kind(name="box", rank=1), there=False)
    wall = One(WALL, Kind(name="wall", rank=0), there=False)
    systems = Systems(wall, box)
    [change] = [c for c in plan(infra, there=False).changes if c.address == BOX]
    with pytest.raises(AssertionError, match="box is asked for box:a/x"):
        systems.steps("e", change)
