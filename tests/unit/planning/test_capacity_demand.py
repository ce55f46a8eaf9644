"""What a machine may take: its own keys, its options, its profiles', and Incus's own limits where nothing is said."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from freehold.model import Domain, Gpu, Infra, Machine, MachineType, Profile, Size, Trust, Volume
from freehold.model.descriptors import Descriptor
from freehold.model.services import Service
from freehold.planning.capacity_demand import (
    CONTAINER_DISK,
    CONTAINER_MEMORY,
    GIB,
    MIB,
    Demand,
    amount,
    cpu_count,
    demand_of,
    machine_demand,
    services_memory,
    size_in_bytes,
)

BIG = Profile(
    name="big",
    config={"limits.memory": "4GiB", "limits.cpu": "4"},
    devices={"root": {"type": "disk", "path": "/", "pool": "default", "size": "20GiB"}},
)
HUGE = Profile(name="huge", config={"limits.memory": "16GiB"})
SHARE = Profile(name="share", config={"limits.memory": "50%"})


def demand(**of: object) -> Demand:
    """That of a machine of a domain with these profiles."""
    machine = replace(Machine(domain="home", name="desk", image="debian/13"), **of)  # type: ignore[arg-type]
    domain = Domain(
        name="home",
        subnet_id=1,
        subnet=IPv4Network("10.100.1.0/24"),
        trust=Trust.TRUSTED,
        profiles=(BIG, HUGE, SHARE),
        machines=(machine,),
    )
    return machine_demand(domain, machine)


def test_a_container_without_limits_counts_as_a_small_assumed_one() -> None:
    found = demand()
    assert (found.cpus, found.memory, found.disk) == (0, CONTAINER_MEMORY, CONTAINER_DISK)
    assert found.assumed == {"memory", "disk"}


def test_services_count_where_nothing_limits_memory_and_the_catalog_tells_theirs() -> None:
    known, unknown = (
        Descriptor(name=name, title="", description="", version="1", memory=memory)
        for name, memory in (("redis", Size.parse("32MiB")), ("mine", None))
    )
    infra = Infra(
        name="maison",
        base=IPv4Network("10.100.0.0/16"),
        services=(
            Service(name="a", descriptor=known, target="home/desk", version="1"),
            Service(name="b", descriptor=unknown, target="home/desk", version="1"),
            Service(name="c", descriptor=known, target="home/other", version="1"),
        ),
    )
    services = services_memory(infra, "home/desk")
    assert services == 32 * MIB
    machine = Machine(domain="home", name="desk", image="debian/13")
    domain = Domain(
        name="home", subnet_id=1, subnet=IPv4Network("10.100.1.0/24"), trust=Trust.TRUSTED
    )
    assert machine_demand(domain, machine, services).memory == CONTAINER_MEMORY + 32 * MIB
    limited = replace(machine, memory=Size.parse("64MiB"))
    assert machine_demand(domain, limited, services).memory == 64 * MIB


def test_a_vm_without_limits_has_those_of_its_profile_and_the_disk_of_incus() -> None:
    found = demand(type=MachineType.VM)
    assert (found.cpus, found.memory, found.disk) == (2, GIB, 10 * GIB)
    assert found.assumed == frozenset()


@pytest.mark.parametrize(
    ("of", "memory"),
    [
        ({"memory": Size.parse("2GiB"), "profiles": ("big",)}, 2 * GIB),
        ({"config": {"limits.memory": "3GiB"}, "profiles": ("big",)}, 3 * GIB),
        ({"profiles": ("big",)}, 4 * GIB),
        ({"profiles": ("big", "huge")}, 16 * GIB),
        ({"profiles": ("huge", "big")}, 4 * GIB),
        ({"profiles": ("big", "share")}, CONTAINER_MEMORY),
    ],
)
def test_the_nearest_limit_wins_and_a_share_says_nothing(
    of: dict[str, object], memory: int
) -> None:
    assert demand(**of).memory == memory


def test_the_root_disk_may_be_a_profiles_or_its_own() -> None:
    assert demand(profiles=("big",)).disks == {"root": 20 * GIB}
    assert demand(profiles=("big",), disk=Size.parse("5GiB")).disks == {"root": 5 * GIB}


def test_volumes_count_when_their_size_is_known() -> None:
    volumes = (
        Volume(name="data", path="/srv", size=Size.parse("2GiB")),
        Volume(name="open", path="/open"),
    )
    found = demand(volumes=volumes)
    assert found.disks == {"root": CONTAINER_DISK, "data": 2 * GIB}


def test_memory_of_a_graphics_card() -> None:
    found = demand(gpu=Gpu(pci="0000:01:00.0", memory=Size.parse("8GiB")))
    assert found.vram == 8 * GIB
    assert demand(gpu=Gpu()).vram == 0


def test_a_machine_of_the_server_is_read_by_its_expanded_options() -> None:
    config = {"limits.cpu": "0-3", "limits.memory": "536870912"}
    devices = {"disk": {"type": "disk", "path": "/", "pool": "default", "size": "7GiB"}}
    found = demand_of(config, devices, is_vm=False)
    assert (found.cpus, found.memory, found.disk) == (4, 512 * MIB, 7 * GIB)


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("0-3", 4), ("0-3,6", 5), ("2", 2), ("5-5", 1), ("", 0), ("all", 0), ("3-", 0)],
)
def test_how_many_cpus_an_option_means(text: str, number: int) -> None:
    assert cpu_count(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("8GiB", 8 * GIB), ("1GB", 1000**3), ("32212254720", 30 * GIB), ("50%", 0), ("", 0)],
)
def test_sizes_as_incus_keeps_them(text: str, number: int) -> None:
    assert size_in_bytes(text) == number


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 MiB"), (128 * MIB, "128 MiB"), (GIB, "1.0 GiB"), (4096 * GIB, "4.0 TiB")],
)
def test_bytes_for_people(number: int, words: str) -> None:
    assert amount(number) == words
