"""Does the estate fit the computer: what is read of it, when, and what a plan then says."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.diagnostics import Severity
from freehold.engine.planner import Planner
from freehold.planning.capacity import Resource, Verdict
from freehold.planning.capacity_demand import GIB
from freehold.planning.document import Inputs, SavedPlan
from freehold.planning.plan import Plan
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.system.incus.fake import FakeIncus
from tests.provider.estate import ONE_MACHINE, Counting, Server, infra_of

HUGE = ONE_MACHINE.replace("{ip: 10.100.7.10}", "{ip: 10.100.7.10, memory: 4096GiB}")
GPU = ONE_MACHINE.replace(
    "{ip: 10.100.7.10}", "{ip: 10.100.7.10, gpu: {vendor: amd, memory: 12GiB}}"
)
CARD = {
    "driver": "amdgpu",
    "vendor_id": "1002",
    "pci_address": "0000:03:00.0",
    "product": "Navi 31",
    "drm": {
        "card_name": "card0",
        "card_device": "226:0",
        "render_name": "renderD128",
        "render_device": "226:128",
    },
}


@pytest.fixture
def fake() -> FakeIncus:
    return FakeIncus(images=("debian/13",), vm_images=("debian/13-vm",))


@pytest.fixture
def server_of_fake(fake: FakeIncus, tmp_path: Path) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    yield Server(Reading(fake), tmp_path, loop, is_real=False)
    loop.close()


class Reading(Counting):
    """Remembers how often the computer was read."""

    looks = 0

    async def get(self, path: str, **query: str) -> object:
        self.looks += path == "/resources"
        return await super().get(path, **query)


def looks(server: Server) -> int:
    assert isinstance(server.incus, Reading)
    return server.incus.looks


def codes(plan: Plan) -> dict[str, Severity]:
    return {problem.code: problem.severity for problem in plan.diagnostics}


def test_a_machine_that_cannot_fit_keeps_the_plan_from_being_applied(server: Server) -> None:
    plan = server.plan(HUGE)
    assert codes(plan) == {"not-enough-memory": Severity.ERROR}
    assert "lab/one asks for 4.0 TiB" in plan.diagnostics[0].detail
    assert not plan.can_apply
    (found,) = plan.capacity
    assert [share.name for share in found.shares if share.is_ours] == ["lab/one"]


def test_what_exists_is_counted_once_by_what_incus_says_of_it(server: Server) -> None:
    half = server.plan(ONE_MACHINE, measure=True).capacity[0].capacity.computer
    assert half is not None
    memory = f"{int(half.memory * 0.8)}B"
    text = ONE_MACHINE.replace("{ip: 10.100.7.10}", f"{{ip: 10.100.7.10, memory: {memory}}}")
    assert codes(server.plan(text)) == {}
    server.apply(text)
    plan = server.plan(text, measure=True)
    assert plan.is_empty
    assert codes(plan) == {}
    (share,) = [each for each in plan.capacity[0].shares if each.is_ours]
    assert share.takes(Resource.MEMORY) == int(half.memory * 0.8)
    assert share.growth(Resource.MEMORY) == 0
    assert share.growth(Resource.DISK) == 0


def test_the_computer_is_read_only_when_a_plan_may_ask_more_of_it(
    server_of_fake: Server,
) -> None:
    server = server_of_fake
    server.apply(ONE_MACHINE)
    before = looks(server)
    assert server.plan(ONE_MACHINE).is_empty
    assert looks(server) == before
    server.plan(ONE_MACHINE.replace("subnet_id: 7", "subnet_id: 7\n        internet: false"))
    assert looks(server) == before
    server.plan(ONE_MACHINE.replace("10.100.7.10}", "10.100.7.10, cpu: 2}"))
    assert looks(server) == before + 1
    server.plan(ONE_MACHINE.replace("one:", "two:"))
    assert looks(server) == before + 2, (
        "once, though it is read early for a machine that is missing"
    )
    server.plan(ONE_MACHINE, measure=True)
    assert looks(server) == before + 3


def test_nothing_is_measured_when_all_is_to_go(server_of_fake: Server) -> None:
    server_of_fake.apply(ONE_MACHINE)
    assert server_of_fake.plan(HUGE, destroy=True).can_apply


def test_a_server_that_does_not_tell_is_no_error(server_of_fake: Server, fake: FakeIncus) -> None:
    fake.behaviour.computer.tells = False
    plan = server_of_fake.plan(HUGE)
    assert codes(plan) == {}
    (found,) = plan.capacity
    assert found.capacity.computer is None
    assert found.capacity.reason == "not authorized"
    assert Verdict.NOT_MEASURED in {balance.verdict for balance in found.balances}


def test_machines_and_volumes_of_others_count(server_of_fake: Server, fake: FakeIncus) -> None:
    server = server_of_fake
    source = {"type": "image", "alias": "debian/13-vm"}
    body = {"name": "theirs", "source": source, "type": "virtual-machine"}
    limits = {"limits.memory": "31GiB"}
    server.by_hand("POST", "/instances", {**body, "config": limits, "start": True}, "default")
    volume = {"name": "data", "type": "custom", "config": {"size": "5GiB"}}
    server.by_hand("POST", "/storage-pools/default/volumes/custom", volume, "default")
    text = ONE_MACHINE.replace("{ip: 10.100.7.10}", "{ip: 10.100.7.10, memory: 2GiB}")
    plan = server.plan(text)
    assert codes(plan) == {"memory-tight": Severity.WARNING}
    others = [share for share in plan.capacity[0].shares if not share.is_ours]
    assert [share.takes(Resource.MEMORY) for share in others] == [31 * GIB, 0]
    assert [share.takes(Resource.DISK) for share in others] == [10 * GIB, 5 * GIB]

    server.by_hand("PUT", "/instances/theirs/state", {"action": "stop", "force": True}, "default")
    plan = server.plan(text)
    assert codes(plan) == {}, "one that is stopped takes no memory"
    others = [share for share in plan.capacity[0].shares if not share.is_ours]
    assert [share.takes(Resource.DISK) for share in others] == [10 * GIB, 5 * GIB]


def test_a_volume_that_stays_of_a_machine_that_is_gone_is_the_machines(
    server_of_fake: Server,
) -> None:
    text = ONE_MACHINE.replace("{ip: 10.100.7.10}", "{volumes: {data: {path: /srv, size: 20GiB}}}")
    server_of_fake.apply(text)
    server_of_fake.by_hand(
        "PUT", "/instances/lab-one/state", {"action": "stop", "force": True}, "lab"
    )
    server_of_fake.by_hand("DELETE", "/instances/lab-one", {}, "lab")
    (share,) = server_of_fake.plan(text).capacity[0].shares
    assert share.takes(Resource.DISK) == 21 * GIB
    assert share.growth(Resource.DISK) == GIB


@pytest.mark.parametrize(("memory", "can_apply"), [(16 * GIB, True), (8 * GIB, False)])
def test_memory_of_a_graphics_card_is_what_its_driver_tells(
    memory: int, can_apply: bool, fake: FakeIncus, server_of_fake: Server
) -> None:
    fake.behaviour.computer.cards = [CARD]
    provider = IncusProvider(
        fake,
        ServerImages(fake),
        card_memory=lambda addresses: dict.fromkeys(addresses, memory),
    )
    planner = Planner(infra=infra_of(server_of_fake.folder, GPU), provider=provider)
    plan = server_of_fake.wait(planner.look()).plan
    assert plan.can_apply is can_apply
    assert ("not-enough-vram" in codes(plan)) is not can_apply


def test_a_saved_plan_does_not_hang_on_how_full_the_pool_is(
    server_of_fake: Server, fake: FakeIncus
) -> None:
    text = ONE_MACHINE.replace("{ip: 10.100.7.10}", "{disk: 20GiB}")
    fake.behaviour.computer.pool_used = 15 * GIB
    picture = server_of_fake.wait(server_of_fake.planner(text).look())
    assert codes(picture.plan) == {"disk-tight": Severity.WARNING}
    saved = SavedPlan.of(picture.plan, picture.observed, Inputs({}))
    fake.behaviour.computer.pool_used = 16 * GIB
    later = server_of_fake.wait(server_of_fake.planner(text).look())
    assert later.plan.diagnostics != picture.plan.diagnostics
    SavedPlan.parse(saved.dump(), "saved.plan").check(later.plan, later.observed)
