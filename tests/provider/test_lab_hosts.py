"""Computers that the lab plays, on the fake Incus and in a real lab: made, left alone, changed, healed, taken away."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import pytest

from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.engine.systems import Systems
from freehold.operations.lab.debian import HOST
from freehold.operations.lab.egress.hosts import packages
from freehold.operations.lab.egress.machines import Egress
from freehold.operations.lab.entrance import LabEntrance
from freehold.operations.lab.images import ensure_image
from freehold.planning.change import Change
from freehold.planning.plan import Plan
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.providers.lab_hosts.lab import Entrance, Packages
from freehold.providers.lab_hosts.marks import DELIVERED, ESTATE
from freehold.providers.lab_hosts.provider import LabHostsProvider
from freehold.system.incus.api import ExecResult
from freehold.system.incus.fake import FakeIncus
from tests.provider.estate import Server, change_of, infra_of, summary

TWO = """
    freehold: 1
    name: pair
    hosts:
      cortex: {address: 203.0.113.20, first: {user: debian}, ssh: {user: orion, port: 2222}}
      mirage: {address: 198.51.100.7, ssh: {port: 2022}}
    """
PROJECT = "hosts.pair"
EVERYTHING = {
    "lab-project:host": "create",
    "lab-network:host/198.51.100.0": "create",
    "lab-network:host/203.0.113.0": "create",
    "lab-host:cortex": "create",
    "lab-host:mirage": "create",
}
slow_on_the_real = pytest.mark.parametrize(
    "server",
    ["fake", pytest.param("real", marks=[pytest.mark.lab, pytest.mark.slow])],
    indirect=True,
)
on_the_fake = pytest.mark.parametrize("server", ["fake"], indirect=True)


@dataclass
class Door:
    """A way in that needs no network; `open_ports` answer."""

    open_ports: set[int] = field(default_factory=lambda: {22, 2022})
    forgotten: list[str] = field(default_factory=list)

    def public_key(self) -> str:
        return "ssh-ed25519 AAAA lab"

    def forget(self, declared: str) -> None:
        self.forgotten.append(declared)

    async def answers(self, declared: str, port: int) -> bool:
        return port in self.open_ports


@dataclass
class Cellar:
    """An estate of hosts, and the lab's Incus in which they are played."""

    server: Server
    entrance: Entrance
    way: Packages = field(default_factory=Packages)
    text: str = TWO
    left: list[tuple[str, str]] = field(default_factory=list)
    """The hosts to which connections were ended, and how each was then."""

    @property
    def provider(self) -> LabHostsProvider:
        incus = self.server.incus
        return LabHostsProvider(
            incus, ServerImages(incus), self.entrance, lambda infra: self.way, leave=self._leave
        )

    async def _leave(self, name: str) -> None:
        found = await self.server.incus.get(f"/instances/{name}", project=PROJECT)
        self.left.append((name, found["status"]))

    def planner(self, **options: Any) -> Planner:
        incus = self.server.incus
        systems = Systems(self.provider, IncusProvider(incus, ServerImages(incus)))
        infra = infra_of(self.server.folder, self.text)
        return Planner(infra=infra, provider=systems, **options)

    def plan(self, **options: Any) -> Plan:
        return self.server.wait(self.planner(**options).look()).plan

    def run(self, **options: Any) -> RunResult:
        planner = self.planner(**options)
        plan = self.server.wait(planner.look()).plan
        assert plan.can_apply, plan.diagnostics
        return self.server.wait(run(planner, plan, lambda event: None, asyncio.Event()))

    def apply(self, **options: Any) -> None:
        result = self.run(**options)
        failed = [(str(o.change.address), o.diagnostics) for o in result.outcomes if o.diagnostics]
        assert result.exit_code == 0, failed

    def settled(self) -> bool:
        return summary(self.plan()) == {}

    def host(self, name: str) -> dict[str, Any]:
        return self.server.instance(PROJECT, name)


@pytest.fixture
def cellar(server: Server, request: pytest.FixtureRequest) -> Iterator[Cellar]:
    if server.is_real:
        lab = request.getfixturevalue("real_lab")
        ensure_image(lab, HOST, lambda text: None)
        yield Cellar(server, LabEntrance(lab._place))
        return
    fake = server.incus.incus
    assert isinstance(fake, FakeIncus)
    fake.add_image(HOST)
    yield Cellar(server, Door())


def test_hosts_are_made_with_their_addresses_and_then_left_alone(cellar: Cellar) -> None:
    assert summary(cellar.plan()) == EVERYTHING
    cellar.apply()
    assert cellar.server.addresses(PROJECT, "cortex") == ["203.0.113.20"]
    assert cellar.server.addresses(PROJECT, "mirage") == ["198.51.100.7"]
    cellar.server.incus.writes.clear()
    assert cellar.settled()
    cellar.apply()
    assert cellar.server.incus.writes == []


@on_the_fake
def test_what_is_marked_for_the_lab_is_nobodys_orphan(cellar: Cellar) -> None:
    cellar.apply()
    plan = cellar.server.plan(cellar.text)
    assert (plan.changes, plan.orphans) == ((), ())


@slow_on_the_real
def test_a_stopped_host_is_started_and_a_strange_option_taken_back(cellar: Cellar) -> None:
    cellar.apply()
    stop = {"action": "stop", "timeout": -1, "force": True}
    cellar.server.by_hand("PUT", "/instances/cortex/state", stop, PROJECT)
    nesting = {"config": {"security.nesting": "false"}}
    cellar.server.by_hand("PATCH", "/instances/mirage", nesting, PROJECT)
    plan = cellar.plan()
    assert summary(plan) == {"lab-host:cortex": "update", "lab-host:mirage": "update"}
    assert change_of(plan, "lab-host:mirage").impact == "restart"
    cellar.apply()
    assert cellar.host("cortex")["status"] == "Running"
    assert cellar.host("mirage")["config"]["security.nesting"] == "true"
    assert cellar.left == [("mirage", "Running")], "nobody holds on to a computer that goes off"
    assert cellar.settled()


@slow_on_the_real
def test_a_host_that_left_infra_yml_is_an_orphan_with_its_network(cellar: Cellar) -> None:
    cellar.apply()
    cellar.text = "\n".join(line for line in TWO.splitlines() if "mirage" not in line)
    plan = cellar.plan()
    assert {str(orphan.address) for orphan in plan.orphans} == {
        "lab-host:mirage",
        "lab-network:host/198.51.100.0",
    }
    cellar.apply(prune=True)
    assert not cellar.server.exists("/instances/mirage", PROJECT)
    assert cellar.host("cortex")["status"] == "Running"
    assert cellar.settled()


def test_destroyed_nothing_of_it_is_left(cellar: Cellar) -> None:
    cellar.apply()
    plan = cellar.plan(destroy=True)
    assert {str(change.address) for change in plan.changes} == set(EVERYTHING)
    assert {str(change.address) for change in plan.destructive} == {
        "lab-host:cortex",
        "lab-host:mirage",
    }
    cellar.apply(destroy=True)
    assert not cellar.server.exists(f"/projects/{PROJECT}")
    managed = [raw for raw in cellar.server.wait(cellar.server.incus.get("/networks", recursion="1"))
               if raw["managed"]]  # fmt: skip
    assert managed == []


@slow_on_the_real
def test_two_hosts_change_their_addresses_for_each_others(cellar: Cellar) -> None:
    cellar.apply()
    swapped = TWO.replace("203.0.113.20", "198.51.100.9").replace("198.51.100.7", "203.0.113.20")
    cellar.text = swapped.replace("198.51.100.9", "198.51.100.7")
    cellar.apply()
    assert cellar.server.addresses(PROJECT, "cortex") == ["198.51.100.7"]
    assert cellar.server.addresses(PROJECT, "mirage") == ["203.0.113.20"]
    assert cellar.settled()


@on_the_fake
def test_who_has_another_address_is_not_taken_for_who_had_it(cellar: Cellar) -> None:
    assert isinstance(cellar.entrance, Door)
    cellar.apply()
    cellar.entrance.forgotten.clear()
    cellar.text = TWO.replace("203.0.113.20", "203.0.113.30")
    cellar.apply()
    assert cellar.entrance.forgotten == ["203.0.113.30"]


@on_the_fake
def test_a_name_is_given_an_address_that_all_hosts_can_look_up(cellar: Cellar) -> None:
    cellar.text = TWO.replace("203.0.113.20", "cortex.example.org")
    cellar.apply()
    [address] = cellar.server.addresses(PROJECT, "cortex")
    assert address.startswith(("198.18.", "198.19."))
    bridges = cellar.server.wait(cellar.server.incus.get("/networks", recursion="1"))
    records = {raw["config"]["raw.dnsmasq"] for raw in bridges if raw["managed"]}
    assert records == {f"no-resolv\nhost-record=cortex.example.org,{address}"}
    assert cellar.settled()


@on_the_fake
def test_the_gateway_gives_way_to_a_host(cellar: Cellar) -> None:
    cellar.text = TWO.replace("203.0.113.20", "203.0.113.1")
    cellar.apply()
    assert cellar.server.addresses(PROJECT, "cortex") == ["203.0.113.1"]
    change = next(each for each in cellar.plan(destroy=True).changes
                  if str(each.address) == "lab-network:host/203.0.113.0")  # fmt: skip
    assert change.observed is not None
    assert change.observed["config"]["ipv4.address"] == "203.0.113.2/24"


@on_the_fake
def test_how_it_was_delivered_is_not_asked_again(cellar: Cellar) -> None:
    """The port and the user of a host that lives are changed by roles, inside."""
    cellar.apply()
    cellar.text = TWO.replace("user: debian", "user: admin").replace("port: 2022", "port: 2023")
    assert cellar.settled()


@on_the_fake
def test_a_delivery_that_was_broken_off_is_done_again(cellar: Cellar) -> None:
    door = cellar.entrance
    assert isinstance(door, Door)
    cellar.apply()
    cellar.server.by_hand("PATCH", "/instances/cortex", {"config": {DELIVERED: "damaged"}}, PROJECT)
    assert [field.path for field in change_of(cellar.plan(), "lab-host:cortex").fields] == [
        "delivered.port",
        "delivered.user",
    ]
    door.forgotten.clear()
    cellar.apply()
    assert door.forgotten == ["203.0.113.20"]
    assert cellar.settled()


@on_the_fake
def test_a_host_without_ssh_is_not_done(cellar: Cellar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freehold.providers.lab_hosts.host_steps.PATIENCE", 0.3)
    cellar.entrance = Door(open_ports={2022})
    outcomes = {str(o.change.address): o for o in cellar.run().outcomes}
    assert not outcomes["lab-host:mirage"].diagnostics
    [problem] = outcomes["lab-host:cortex"].diagnostics
    assert problem.code == "lab-host-does-not-answer"
    assert "port 2222 nor port 22" in problem.detail
    assert "incus shell --project hosts.pair cortex" in (problem.hint or "")


@on_the_fake
def test_what_fails_inside_is_told_with_its_words(
    cellar: Cellar, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*words: object, **options: object) -> ExecResult:
        return ExecResult(1, "", "useradd: no room\n")

    monkeypatch.setattr(cellar.server.incus, "execute", refuse)
    [problem, _] = [d for o in cellar.run().outcomes for d in o.diagnostics]
    assert problem.code == "lab-host-not-delivered"
    assert "useradd: no room" in problem.detail


@on_the_fake
def test_a_way_to_packages_comes_and_goes_without_a_restart(cellar: Cellar) -> None:
    cellar.apply()
    egress = Egress(cellar.server.folder / "s", cellar.server.folder, frozenset({"apt.conf"}))
    cellar.way = packages(infra_of(cellar.server.folder, cellar.text), egress)
    plan = cellar.plan()
    assert {str(c.address): c.impact for c in plan.changes} == {
        "lab-host:cortex": "live",
        "lab-host:mirage": "live",
    }
    assert told(change_of(plan, "lab-host:cortex"), "packages.no_proxy").endswith(
        "10.100.0.0/16,198.51.100.0/24,203.0.113.0/24"
    )
    cellar.apply()
    assert "lab-egress" in cellar.host("cortex")["devices"]
    assert cellar.settled()
    cellar.way = Packages()
    cellar.apply()
    assert set(cellar.host("cortex")["devices"]) == {"eth0", "root"}
    assert cellar.settled()


def told(change: Change, path: str) -> str:
    return str(next(field.after for field in change.fields if field.path == path))


@on_the_fake
def test_addresses_that_cannot_be_given_are_told_before_anything_is_made(cellar: Cellar) -> None:
    cellar.text = """
        freehold: 1
        name: pair
        network: {base: 10.100.0.0/16}
        domains: {home: {subnet_id: 1, machines: {desk: {}}}}
        hosts:
          cortex: {address: 10.100.1.20}
          mirage: {address: 198.51.100.7}
        """
    bridge = {"name": "br-theirs", "type": "bridge", "config": {"ipv4.address": "198.51.100.1/24"}}
    cellar.server.by_hand("POST", "/networks", bridge, "default")
    codes = {d.code: d.detail for d in cellar.plan().diagnostics}
    assert "the domain home" in codes["lab-host-address-in-domain"]
    assert "br-theirs" in codes["lab-host-network-taken"]


@on_the_fake
def test_two_names_that_come_to_the_same_address_are_refused(
    cellar: Cellar, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = IPv4Address("198.18.0.9")
    monkeypatch.setattr("freehold.providers.lab_hosts.problems.played_address", lambda of: same)
    [problem] = cellar.plan().diagnostics
    assert problem.code == "lab-host-address-shared"
    assert "cortex (203.0.113.20) and mirage (198.51.100.7)" in problem.detail


@on_the_fake
def test_a_host_of_another_estate_is_not_touched(cellar: Cellar) -> None:
    cellar.apply()
    cellar.server.by_hand("PATCH", "/instances/cortex", {"config": {ESTATE: "other"}}, PROJECT)
    [problem] = cellar.plan().diagnostics
    assert problem.code == "not-ours"
    assert "belongs to the estate `other`" in problem.detail
