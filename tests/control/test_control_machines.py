"""What `control: true` asks of Incus and of the host, as a plan."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from freehold.model import Infra, MachineType
from freehold.planning.change import Action
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.planning.resource import Observed
from freehold.providers.control.provider import ADDRESS, AgentProvider
from freehold.providers.incus.control import Ways, control_machine, ways_of
from freehold.providers.incus.instances import desired_instances, instance_address
from freehold.providers.incus.options import impact_of
from freehold.providers.protocol import Observation
from freehold.system.host_agent.agents import AgentState
from tests.firewall.conftest import infra_of

WAYS = Ways(incus="/var/lib/incus/unix.socket", agent="/run/freehold/cottage/agent.socket")
ESTATE = """
    freehold: 1
    name: cottage
    domains:
      admin: {subnet_id: 0, trust: admin, machines: {ctl: {ip: 10.100.0.10, control: true}, desk: {ip: 10.100.0.11}}}
    """
CTL = instance_address("admin", "ctl")


class Agents:
    """Agents in memory."""

    def __init__(self) -> None:
        self.state: AgentState | None = None

    def socket(self, estate: str) -> Path:
        return Path("/run/freehold", estate)

    async def read(self, estate: str) -> AgentState | None:
        return self.state

    async def keep(self, estate: str, base: str) -> None:
        self.state = AgentState(base, is_current=True, answers=True)

    async def forget(self, estate: str) -> None:
        self.state = None


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    return infra_of(tmp_path, ESTATE)


@pytest.fixture
def without(tmp_path: Path) -> Infra:
    return infra_of(tmp_path, ESTATE.replace(", control: true", ""))


def observed(infra: Infra, ways: Ways | None) -> list[Observed]:
    [admin] = infra.domains
    return [
        Observed(address=each.address, fields=each.fields)
        for each in desired_instances(infra, admin, ways)
    ]


def devices(infra: Infra, ways: Ways | None) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = next(
        each.fields["devices"] for each in observed(infra, ways) if each.address == CTL
    )
    return found


def test_a_control_machine_has_two_sockets_that_only_its_root_may_use(infra: Infra) -> None:
    found = devices(infra, WAYS)
    assert found["freehold-incus"] == {
        "type": "proxy", "bind": "instance", "uid": "0", "gid": "0", "mode": "0600",
        "listen": "unix:/dev/incus.socket", "connect": "unix:/var/lib/incus/unix.socket",
    }  # fmt: skip
    assert found["freehold-host"]["listen"] == "unix:/dev/freehold.socket"
    assert found["freehold-host"]["connect"] == "unix:/run/freehold/cottage/agent.socket"
    desk = observed(infra, WAYS)[1]
    assert list(desk.fields["devices"]) == ["eth0"]


def test_no_variable_of_incus_is_set_in_it(infra: Infra) -> None:
    """The hook with which Incus starts a container reads INCUS_SOCKET too: it would not start."""
    assert not [key for key in observed(infra, WAYS)[0].fields["config"] if "INCUS" in key]


def test_a_virtual_machine_cannot_be_given_sockets(infra: Infra) -> None:
    [admin] = infra.domains
    machines = tuple(replace(each, type=MachineType.VM) for each in admin.machines)
    as_vm = replace(infra, domains=(replace(admin, machines=machines),))
    assert list(devices(as_vm, WAYS)) == ["eth0"]


def test_the_sockets_come_and_go_while_the_machine_runs(infra: Infra) -> None:
    fields = observed(infra, WAYS)[0].fields
    for name, device in devices(infra, WAYS).items():
        if name != "eth0":
            impacts = {impact_of(f"devices.{name}.{key}", fields).value for key in device}
            assert impacts == {"live"}


def test_from_within_the_ways_are_those_that_a_control_machine_has(
    infra: Infra, without: Infra
) -> None:
    assert ways_of(observed(infra, WAYS)) == WAYS
    assert ways_of(observed(without, WAYS)) is None
    assert control_machine(observed(infra, WAYS), "admin-ctl") == CTL
    assert control_machine(observed(infra, WAYS), "admin-desk") is None


def plan_of(provider: AgentProvider, infra: Infra, *, destroy: bool = False) -> Plan:
    async def look() -> Plan:
        seen = await provider.observe(infra)
        wanted = {} if destroy else provider.desired(infra, Observation(seen.observed))
        return compare(
            Question(
                estate=infra.name, desired=wanted, observed=seen.observed, kinds=provider.kinds,
                destroy=destroy,
            )
        )  # fmt: skip

    return asyncio.run(look())


def apply(provider: AgentProvider, infra: Infra, *, destroy: bool = False) -> None:
    for change in plan_of(provider, infra, destroy=destroy).changes:
        for step in provider.steps(infra.name, change):
            asyncio.run(step.run(lambda text: None))  # type: ignore[arg-type]


def test_the_agent_is_there_as_long_as_a_machine_needs_it(infra: Infra, without: Infra) -> None:
    agents = Agents()
    provider = AgentProvider(agents)
    assert plan_of(provider, without).is_empty

    apply(provider, infra)
    assert agents.state == AgentState("10.100.0.0/16", is_current=True, answers=True)
    assert plan_of(provider, infra).is_empty

    apply(provider, without)
    assert agents.state is None
    assert plan_of(provider, without).is_empty


def test_it_goes_with_the_estate(infra: Infra) -> None:
    agents = Agents()
    provider = AgentProvider(agents)
    apply(provider, infra)
    [change] = plan_of(provider, infra, destroy=True).changes
    assert (change.action, change.address) == (Action.DELETE, ADDRESS)
    apply(provider, infra, destroy=True)
    assert agents.state is None


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (AgentState("10.100.0.0/16", is_current=False, answers=True), "is of another version"),
        (AgentState("10.100.0.0/16", is_current=True, answers=False), "does not answer"),
        (AgentState("10.100.0.0/16", is_current=True, answers=True, stays=False), "is not there after a restart"),
        (AgentState("10.7.0.0/16", is_current=True, answers=True), "answers"),
    ],
)  # fmt: skip
def test_an_agent_that_is_not_as_it_should_be_is_a_change(
    state: AgentState, told: str, infra: Infra
) -> None:
    agents = Agents()
    agents.state = state
    provider = AgentProvider(agents)
    [change] = plan_of(provider, infra).changes
    assert change.observed is not None
    assert change.observed["agent"] == told
    apply(provider, infra)
    assert plan_of(provider, infra).is_empty
