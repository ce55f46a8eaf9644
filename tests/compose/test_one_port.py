"""One port of one service, and all that it changes: firewall, proxy, probe, what is measured and who is told, in one plan."""

import asyncio
import shutil
from pathlib import Path

import pytest

from freehold.engine.planner import Planner
from freehold.engine.run import run
from freehold.engine.systems import Systems
from freehold.planning.plan import Plan
from freehold.providers.ansible.provider import AnsibleProvider
from freehold.providers.compose.provider import ComposeProvider
from freehold.providers.firewall.provider import FirewallProvider
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.system.ansible.fake import FakePlaybooks
from freehold.system.incus.fake import FakeIncus
from freehold.system.nftables.fake import FakeNftables
from freehold.system.secrets.fake import FakeSecrets
from freehold.system.targets.fake import FakeTargets
from tests.compose.docker import FakeDocker
from tests.provider.estate import change_of, infra_of, summary
from tests.throwaway import IMAGE
from tests.unit.wiring.estates import CATALOG

ESTATE = """
    freehold: 1
    name: maison
    domains:
      front: {subnet_id: 1, machines: {web: {ip: 10.100.1.10}}}
      back: {subnet_id: 2, machines: {data: {ip: 10.100.2.10}}}
    services:
      proxy: {on: front/web}
      prober: {on: front/web}
      meter: {on: front/web}
      store: {on: back/data}
      shop: {on: back/data, ports: {http: 8080, metrics: 9001}, expose: {host: shop.example.org}}
    """
IMAGES = {f"registry.example.org/{name}:1" for name in ("proxy", "prober", "meter", "store", "shop")}  # fmt: skip
SHOP, PROXY, METER = "service:back/data/shop", "service:front/web/proxy", "service:front/web/meter"


class Desk:
    """Somebody who plans and applies an estate on two machines of a fake Incus, with its firewall."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = ESTATE
        self.incus = FakeIncus(images=(IMAGE,))
        self.nftables = FakeNftables()
        self.targets = FakeTargets()
        self.dockers: dict[str, FakeDocker] = {}
        for name in ("front/web", "back/data"):
            target = self.targets.fake(name)
            self.dockers[name] = FakeDocker(target, images=set(IMAGES))
            target.answers = self.dockers[name].answer
        shutil.copytree(CATALOG, folder / "catalog")

    def planner(self) -> Planner:
        secrets = FakeSecrets({})
        compose = ComposeProvider(self.folder, self.incus, self.targets, secrets)
        incus = IncusProvider(self.incus, ServerImages(self.incus))
        inside = AnsibleProvider(
            self.folder, self.incus, self.targets, FakePlaybooks(), self.folder / "logs", secrets
        )
        systems = Systems(incus, FirewallProvider(self.nftables), inside, compose)
        return Planner(infra=infra_of(self.folder, self.text), provider=systems)

    def plan(self) -> Plan:
        plan = asyncio.run(self.planner().look()).plan
        assert plan.can_apply, plan.diagnostics
        return plan

    def apply(self) -> None:
        async def whole() -> None:
            planner = self.planner()
            plan = (await planner.look()).plan
            result = await run(planner, plan, lambda event: None, asyncio.Event())
            assert result.exit_code == 0, result.outcomes

        asyncio.run(whole())

    def files(self, text: str) -> set[str]:
        """The names of the files that containers have and that hold a text."""
        found = set()
        for name, docker in self.dockers.items():
            sources = (each["source"] for container in docker.containers.values() for each in container.entry.get("volumes", ()))  # fmt: skip
            every = {path: self.targets.fake(name).files[path].content.decode() for path in sources}
            found |= {path.rpartition("/")[2] for path, content in every.items() if text in content}
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.apply()
    assert summary(desk.plan()) == {}
    return desk


def fields(plan: Plan, address: str) -> dict[str, tuple[object, object]]:
    return {each.path: (each.before, each.after) for each in change_of(plan, address).fields}


def test_the_port_that_people_open(desk: Desk) -> None:
    assert desk.files("10.100.2.10:8080") == {"routes.yml", "probes.yml", "rules.yml"}
    desk.text = desk.text.replace("http: 8080", "http: 8090")
    plan = desk.plan()
    assert summary(plan) == {
        "compose:back/data": "update",
        "compose:front/web": "update",
        "firewall:host": "update",
        METER: "update",
        PROXY: "update",
        SHOP: "update",
    }
    assert fields(plan, SHOP)["ports"] == (
        ["8080:8000/tcp", "9001:8001/tcp"],
        ["8090:8000/tcp", "9001:8001/tcp"],
    )
    assert set(fields(plan, PROXY)) == {"files./etc/proxy/routes.yml"}
    assert set(fields(plan, METER)) == {"files./etc/meter/probes.yml", "files./etc/meter/rules.yml"}
    firewall = str(fields(plan, "firewall:host"))
    assert "8090" in firewall
    desk.apply()
    assert desk.files("10.100.2.10:8080") == set()
    assert desk.files("10.100.2.10:8090") == {"routes.yml", "probes.yml", "rules.yml"}
    assert summary(desk.plan()) == {}


def test_the_port_that_is_measured(desk: Desk) -> None:
    desk.text = desk.text.replace("metrics: 9001", "metrics: 9002")
    plan = desk.plan()
    changed = {address for address in summary(plan) if address.startswith(("service", "firewall"))}
    assert changed == {SHOP, METER, "firewall:host"}
    assert set(fields(plan, METER)) == {"files./etc/meter/rules.yml", "files./etc/meter/scrapes.yml"}  # fmt: skip
    assert "9002" in str(fields(plan, "firewall:host"))
