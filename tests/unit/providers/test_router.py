"""The machine between the domains: what is asked of it, what is seen of it, and in what order it is changed."""

import asyncio
import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from freehold.config.load import load
from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.providers.firewall.desired import desired_firewall
from freehold.providers.firewall.router.desired import desired_router
from freehold.providers.firewall.router.inside import NETWORK, RULES, UNIT, contents
from freehold.providers.firewall.router.provider import RouterProvider
from freehold.providers.incus.bridges import desired_transfer
from freehold.providers.incus.instances import desired_instances
from freehold.system.incus.api import ExecResult, IncusError
from freehold.system.nftables.fake import FakeNftables
from freehold.system.nftables.listing import document
from freehold.system.routing.fake import FakeRouting

MACHINE = "network: {firewall: machine, firewall_machine: {type: container}}"
ESTATE = f"""
freehold: 1
name: cottage
{MACHINE}
domains:
  home: {{subnet_id: 11, trust: admin, machines: {{desk: {{ip: 10.100.11.10}}}}}}
  lodge: {{subnet_id: 12, machines: {{till: {{ip: 10.100.12.10}}}}}}
  mill: {{subnet_id: 255, machines: {{wheel: {{ip: 10.100.255.10}}}}}}
policies:
  - {{from: lodge, to: mill/wheel, ports: [8080, 9000-9010]}}
  - {{from: lodge/till, to: mill, ports: [53], protocol: udp}}
  - {{from: lodge, to: host, ports: [22]}}
"""
TABLE = "freehold-cottage"
ROUTER = Address(HOST, "router")


class OneMachine:
    """As much of Incus as the router asks for: `sys-firewall`, in which files are written and rules loaded."""

    def __init__(self) -> None:
        self.state = "Running"
        self.image = "debian/13"
        self.files: dict[str, str] = {}
        self.nftables = FakeNftables()
        self.has_nft = True
        self.refuses = False
        self.done: list[str] = []

    async def get(self, path: str, **query: str) -> Any:
        assert (path, query) == ("/instances/home-sys-firewall", {"project": "home"})
        if not self.state:
            raise IncusError("GET", 404, "Instance not found")
        return {
            "status": self.state,
            "type": "container",
            "config": {"user.freehold.image": self.image},
            "devices": {"eth0": {"ipv4.address": "10.100.11.77"}},
        }

    async def execute(
        self, project: str, instance: str, command: Sequence[str], *, timeout: float = 30.0
    ) -> ExecResult:
        assert (project, instance, command[:2]) == ("home", "home-sys-firewall", ["sh", "-c"])
        script, words = command[2], list(command[4:])
        if "sha256sum" in script:
            return self._look(words)
        if "base64" in script:
            return self._write(words)
        if "apt-get" in script:
            self.done.append("prepare")
            return ExecResult(0 if self.has_nft else 3, "", "it has neither nft nor apt-get\n")
        if "unshare" in script:
            tried = FakeNftables()
            await tried.load(json.loads(self.files[RULES])["nftables"])
            return ExecResult(0, document(tried.tables[TABLE]), "")
        return await self._restart()

    def _look(self, paths: Sequence[str]) -> ExecResult:
        sums = (hashlib.sha256(self.files.get(path, "").encode()).hexdigest() for path in paths)
        known = "enabled\nrouted" if self.files else ""
        listing = self._listed() if TABLE in self.nftables.tables else ""
        return ExecResult(0 if listing else 1, f"{' '.join(sums)} {known}\n--\n{listing}", "")

    def _write(self, words: Sequence[str]) -> ExecResult:
        path, *pieces = words
        assert max(map(len, pieces)) < 131_072  # what Linux takes as one argument
        self.files[path] = gzip.decompress(base64.b64decode("".join(pieces))).decode()
        return ExecResult(0, "", "")

    async def _restart(self) -> ExecResult:
        if self.refuses:
            return ExecResult(1, "", "Job for freehold-firewall.service failed.\n")
        self.done.append("load")
        await self.nftables.load(json.loads(self.files[RULES])["nftables"])
        return ExecResult(0, "", "")

    def _listed(self) -> str:
        return document(self.nftables.tables[TABLE])


class Site:
    """The provider on such a machine and on routing in memory."""

    def __init__(self) -> None:
        self.machine = OneMachine()
        self.routing = FakeRouting()
        self.provider = RouterProvider(self.machine, self.routing)  # type: ignore[arg-type]

    def plan(self, infra: Infra) -> Plan:
        return asyncio.run(self._plan(infra))

    def apply(self, infra: Infra) -> None:
        """Carry the plan out, step by step; then nothing may be left to do."""
        asyncio.run(self._apply(infra))
        assert self.plan(infra).changes == ()

    async def _plan(self, infra: Infra) -> Plan:
        seen = await self.provider.observe(infra)
        return compare(
            Question(
                estate=infra.name,
                desired=self.provider.desired(infra, seen),
                observed=seen.observed,
                kinds=self.provider.kinds,
            )
        )

    async def _apply(self, infra: Infra) -> None:
        for change in (await self._plan(infra)).changes:
            for step in self.provider.steps(infra.name, change):
                await step.run(lambda text: None)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    return infra_of(tmp_path, ESTATE)


def infra_of(folder: Path, text: str) -> Infra:
    """The estate, with the address for `sys-firewall` that the planner would give it."""
    from dataclasses import replace
    from ipaddress import IPv4Address

    (folder / "infra.yml").write_text(text, encoding="utf-8")
    infra = load(folder).infra
    assert infra is not None
    domains = tuple(
        replace(
            domain,
            machines=tuple(
                replace(each, address=each.address or IPv4Address("10.100.11.77"))
                for each in domain.machines
            ),
        )
        for domain in infra.domains
    )
    return replace(infra, domains=domains)


def fields_of(plan: Plan) -> Mapping[str, tuple[Any, Any]]:
    """Of the one change: path to before and after."""
    (change,) = plan.changes
    return {field.path: (field.before, field.after) for field in change.fields}


def test_the_machine_is_one_of_the_admin_domain_with_a_second_interface(infra: Infra) -> None:
    home = infra.domain("home")
    assert home is not None
    wanted = {each.address.name: each for each in desired_instances(infra, home)}
    assert set(wanted) == {"desk", "sys-firewall"}
    machine = wanted["sys-firewall"]
    assert machine.fields["name"] == "home-sys-firewall"
    assert machine.fields["type"] == "container"
    assert machine.fields["config"]["boot.autostart"] == "true"
    assert machine.fields["devices"]["transfer"]["network"] == "fw-cottage"
    assert Address(HOST, "bridge") in machine.depends_on
    assert Address(HOST, "bridge") not in wanted["desk"].depends_on


def test_packets_are_handed_over_on_the_last_network_that_no_domain_has(infra: Infra) -> None:
    assert infra.transfer is not None
    bridge = desired_transfer(infra.transfer)
    assert bridge.fields["name"] == "fw-cottage"
    assert bridge.fields["config"]["ipv4.address"] == "10.100.254.1/24"  # a domain has .255
    assert bridge.fields["config"]["ipv4.dhcp"] == "false"


def test_a_machine_is_a_vm_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    infra = infra_of(tmp_path, ESTATE.replace(MACHINE, "network: {firewall: machine}"))
    assert [m.type for m in infra.machines() if m.name == "sys-firewall"] == ["vm"]


def test_the_machine_decides_between_domains_and_the_host_the_rest(infra: Infra) -> None:
    assert infra.transfer is not None
    machine = desired_router(infra, infra.transfer).fields
    host = desired_firewall(infra, {}).fields
    assert machine["open"] == {
        "lodge to mill/wheel": "tcp 8080, tcp 9000-9010 (10.100.12.0/24 to 10.100.255.10)",
        "lodge/till to mill": "udp 53 (10.100.12.10 to 10.100.255.0/24)",
    }
    assert host["open"] == {"lodge to host": "tcp 22 (net-lodge to host)"}
    assert host["transfer"] == "fw-cottage"


def test_without_a_machine_the_host_decides_all_and_knows_no_transfer(tmp_path: Path) -> None:
    infra = infra_of(tmp_path, ESTATE.replace(MACHINE, ""))
    host = desired_firewall(infra, {}).fields
    assert "transfer" not in host
    assert len(host["open"]) == 3
    assert [machine.key for machine in infra.machines()] == [
        "home/desk",
        "lodge/till",
        "mill/wheel",
    ]


def test_rules_stand_before_packets_come_and_then_nothing_is_to_do(
    site: Site, infra: Infra
) -> None:
    plan = site.plan(infra)
    assert [change.address for change in plan.changes] == [ROUTER]
    site.apply(infra)
    assert site.machine.done == ["prepare", "load"]
    assert UNIT in str(site.machine.files)
    way = site.routing.ways[TABLE]
    assert (way.base, way.bridge, way.router) == ("10.100.0.0/16", "fw-cottage", "10.100.254.2")


def test_rules_that_are_refused_leave_the_packets_where_they_are(site: Site, infra: Infra) -> None:
    site.machine.refuses = True
    with pytest.raises(BackendError, match="does not take its rules") as caught:
        site.apply(infra)
    assert "journalctl" in str(caught.value.diagnostics[0].hint)
    assert site.routing.ways == {}


def test_a_machine_without_nftables_says_what_to_do(site: Site, infra: Infra) -> None:
    site.machine.has_nft = False
    with pytest.raises(BackendError) as caught:
        site.apply(infra)
    (problem,) = caught.value.diagnostics
    assert problem.code == "router-cannot-filter"
    assert "it has neither nft nor apt-get" in problem.detail
    assert site.machine.files == {}
    assert site.routing.ways == {}


def test_a_policy_is_one_field_of_the_plan(site: Site, infra: Infra, tmp_path: Path) -> None:
    site.apply(infra)
    wider = infra_of(tmp_path, ESTATE.replace("[8080, 9000-9010]", "[8080]"))
    before = "tcp 8080, tcp 9000-9010 (10.100.12.0/24 to 10.100.255.10)"
    assert fields_of(site.plan(wider)) == {
        "open.lodge to mill/wheel": (before, "tcp 8080 (10.100.12.0/24 to 10.100.255.10)")
    }
    site.apply(wider)


@pytest.mark.parametrize(
    ("state", "told"), [("Stopped", "stopped"), ("Frozen", "frozen"), ("", "it is not there")]
)
def test_a_machine_that_is_down_is_told_without_forgetting_what_it_decided(
    site: Site, infra: Infra, state: str, told: str
) -> None:
    site.apply(infra)
    site.machine.state = state
    fields = fields_of(site.plan(infra))
    assert fields["rules"] == (told, "as Freehold writes them")
    assert not any(path.startswith(("open.", "zones.")) for path in fields)


def test_what_is_changed_by_hand_is_told(site: Site, infra: Infra) -> None:
    site.apply(infra)
    table = site.machine.nftables.tables[TABLE]
    rule = next(entry["rule"] for entry in table if "rule" in entry)
    table.append({"rule": {**rule, "chain": "deciding", "expr": [{"accept": None}]}})
    assert fields_of(site.plan(infra))["rules"][0] == "changed by hand: chain deciding"
    site.apply(infra)

    site.machine.files[NETWORK] += "true\n"
    assert fields_of(site.plan(infra)) == {
        "at start": ("something else", "as Freehold writes them")
    }
    site.apply(infra)

    site.routing.wrong = ["the rule 7400 is missing", "nobody watches over it"]
    assert fields_of(site.plan(infra)) == {
        "routing": ("the rule 7400 is missing, nobody watches over it", "as Freehold sets it")
    }
    site.apply(infra)


def test_a_new_image_asks_for_the_rules_in_the_same_plan(
    site: Site, infra: Infra, tmp_path: Path
) -> None:
    site.apply(infra)
    other = infra_of(tmp_path, ESTATE.replace("container}", "container, image: debian/12}"))
    assert fields_of(site.plan(other)) == {"machine.image": ("debian/13", "debian/12")}


def test_rules_on_the_host_again_take_the_routing_away_and_no_more(
    site: Site, infra: Infra, tmp_path: Path
) -> None:
    site.apply(infra)
    host = infra_of(tmp_path, ESTATE.replace(MACHINE, ""))
    assert fields_of(site.plan(host)) == {
        "routing": ("as Freehold sets it", "none, the host decides")
    }
    loaded = site.machine.nftables.loads
    site.apply(host)
    assert site.routing.ways == {}
    assert site.machine.nftables.loads == loaded


def test_a_thousand_domains_fit_into_what_a_command_takes(site: Site, tmp_path: Path) -> None:
    domains = "\n".join(
        f"  d{n}: {{subnet_id: {n}, machines: {{m: {{}}}}}}" for n in range(1, 1001)
    )
    text = (
        f"freehold: 1\nname: cottage\n{MACHINE[:-1]}, base: 10.0.0.0/8}}\n"
        f"domains:\n  home: {{subnet_id: 0, trust: admin}}\n{domains}\npolicies:\n"
        + "\n".join(f"  - {{from: d{n}, to: d{n + 1}, ports: [80]}}" for n in range(1, 1000))
    )
    site.apply(infra_of(tmp_path, text))
    assert len(site.machine.files[RULES]) > 131_072


def test_equal_fields_are_equal_text_in_whatever_order_they_come(infra: Infra) -> None:
    assert infra.transfer is not None
    fields = dict(desired_router(infra, infra.transfer).fields)
    turned = fields | {key: dict(reversed(fields[key].items())) for key in ("zones", "open")}
    assert contents(TABLE, fields) == contents(TABLE, turned)
