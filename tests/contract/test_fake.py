"""What only the in-memory Incus has: hooks for tests, virtual machines without a hypervisor, thousands of machines."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from freehold.system.incus.api import ExecResult, IncusError, IncusInterrupted
from freehold.system.incus.fake import FakeIncus
from tests.contract.site import IMAGE, Site

MACHINES = 10_000


@pytest.fixture
def fake() -> FakeIncus:
    return FakeIncus(images=["debian/13"], vm_images=["debian/13-vm"])


@pytest.fixture
def site(fake: FakeIncus) -> Iterator[Site]:
    async def connect() -> FakeIncus:
        return fake

    site = Site(connect, 7)
    site.settle()
    yield site
    site.close()


def test_writes_are_recorded_whatever_becomes_of_them(fake: FakeIncus, site: Site) -> None:
    fake.writes.clear()
    with pytest.raises(IncusError):
        site.send("POST", "/projects", {"name": "a/b"})
    site.create("one", start=True)
    site.run(fake.execute(site.project, "one", ["true"]))
    site.instance("one")

    assert [str(write) for write in fake.writes] == [
        "POST /projects",
        "POST /instances in t7",
        "POST /instances/one/exec in t7",
    ]
    assert fake.writes[0].body == {"name": "a/b"}


def test_reads_are_counted(fake: FakeIncus, site: Site) -> None:
    before = fake.reads
    site.get("/projects")
    site.get("/instances", project=site.project)
    assert fake.reads == before + 2


def test_a_failure_before_and_after_the_effect(fake: FakeIncus, site: Site) -> None:
    gone = IncusInterrupted("POST /instances", "gone")
    fake.fail_next("POST", "/instances", gone)
    with pytest.raises(IncusInterrupted):
        site.create("one")
    assert site.get("/instances", project=site.project) == []

    fake.fail_next("P*", "/inst*", gone, after=True, times=2)
    for name in ("one", "two"):
        with pytest.raises(IncusInterrupted):
            site.create(name)
    site.create("three")
    assert len(site.get("/instances", project=site.project)) == 3


def test_reads_fail_on_order_too(fake: FakeIncus, site: Site) -> None:
    fake.fail_next("GET", "/projects", IncusInterrupted("GET /projects", "gone"))
    with pytest.raises(IncusInterrupted):
        site.get("/projects")
    assert site.get("/projects")


def test_requests_take_the_time_they_are_told_to_and_overlap(fake: FakeIncus, site: Site) -> None:
    fake.slow("POST", "/instances", 0.1)

    async def five() -> None:
        bodies = [{"name": f"m{number}", "source": IMAGE} for number in range(5)]
        await asyncio.gather(
            *(fake.send("POST", "/instances", body, project=site.project) for body in bodies)
        )

    before = time.monotonic()
    site.run(five())
    assert 0.1 <= time.monotonic() - before < 0.5


def test_what_is_answered_and_what_was_asked_is_not_shared(fake: FakeIncus, site: Site) -> None:
    devices = {"nothing": {"type": "none"}}
    site.create("one", devices=devices)
    devices["nothing"]["type"] = "nic"
    site.instance("one")["config"]["user.a"] = "1"
    site.get("/projects/default")["config"].clear()

    assert site.instance("one")["devices"] == {"nothing": {"type": "none"}}
    assert "user.a" not in site.instance("one")["config"]
    assert site.get("/projects/default")["config"]


def test_creating_reports_progress(fake: FakeIncus, site: Site) -> None:
    seen: list[str] = []
    body = {"name": "one", "source": IMAGE}
    site.run(fake.send("POST", "/instances", body, progress=seen.append, project=site.project))
    assert seen


def test_an_address_may_take_a_while(fake: FakeIncus, site: Site) -> None:
    fake.behaviour.address_after = 2
    site.create("one", start=True, devices={"eth0": site.nic(ipv4_address=site.host(10))})
    assert [site.addresses("one") for _ in range(3)] == [[], [], [site.host(10)]]


def test_a_virtual_machine_has_a_lease_before_its_agent_answers(
    fake: FakeIncus, site: Site
) -> None:
    fake.behaviour.agent_after = 1
    source = {"type": "image", "alias": "debian/13-vm"}
    nic = site.nic(ipv4_address=site.host(10))
    site.create("vm", type="virtual-machine", source=source, start=True, devices={"eth0": nic})

    with pytest.raises(IncusError, match="agent isn't currently running"):
        site.run(fake.execute(site.project, "vm", ["true"]))
    first = site.get("/instances/vm/state", project=site.project)
    assert first["processes"] == -1
    assert first["network"]["eth0"]["addresses"][0]["address"] == site.host(10)
    second = site.get("/instances/vm/state", project=site.project)
    assert second["processes"] > 0
    assert second["network"]["enp5s0"]["addresses"][0]["address"] == site.host(10)
    assert not [key for key in site.instance("vm")["config"] if "idmap" in key]


def test_a_host_without_virtual_machines(fake: FakeIncus, site: Site) -> None:
    fake.behaviour.virtual_machines = False
    source = {"type": "image", "alias": "debian/13-vm"}
    with pytest.raises(IncusError, match="vhost_vsock"):
        site.create("vm", type="virtual-machine", source=source)


def test_a_guest_that_does_not_shut_down(fake: FakeIncus, site: Site) -> None:
    fake.behaviour.shuts_down = False
    site.create("one", start=True)
    with pytest.raises(IncusError, match="context deadline exceeded"):
        site.power("one", "stop", force=False, timeout=1)
    site.power("one", "stop")
    assert site.instance("one")["status"] == "Stopped"


def test_a_host_with_a_gpu(fake: FakeIncus, site: Site) -> None:
    fake.behaviour.computer.cards = [{"pci_address": "0000:01:00.0", "vendor_id": "10de"}]
    site.create("one", start=True, devices={"gpu": {"type": "gpu"}})
    assert site.instance("one")["status"] == "Running"
    with pytest.raises(IncusError, match="Failed to detect requested GPU device"):
        site.create("two", start=True, devices={"gpu": {"type": "gpu", "vendorid": "1002"}})


def test_commands_answer_what_they_are_told_to(fake: FakeIncus, site: Site) -> None:
    fake.behaviour.commands["cat /etc/hostname"] = ExecResult(0, "one\n", "")
    site.create("one", start=True)
    result = site.run(fake.execute(site.project, "one", ["cat", "/etc/hostname"]))
    assert result.stdout == "one\n"


def test_ten_thousand_machines_are_listed_quickly(fake: FakeIncus, site: Site) -> None:
    async def fill() -> None:
        for number in range(MACHINES):
            body = {"name": f"m{number}", "source": IMAGE}
            await fake.send("POST", "/instances", body, project=site.project)

    site.run(fill())

    before = time.monotonic()
    machines = site.get("/instances", recursion="1", **{"all-projects": "true"})
    for collection in ("/projects", "/networks", "/profiles"):
        site.get(collection, recursion="1")
    assert len(machines) == MACHINES
    assert time.monotonic() - before < 5
