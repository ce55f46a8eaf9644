"""Estates of any size, made directly of the model."""

from ipaddress import IPv4Network

from freehold.model import (
    Domain,
    Host,
    Infra,
    Machine,
    Policy,
    Profile,
    Protocol,
    Size,
    Trust,
    Volume,
)
from freehold.model.descriptors import Container, Descriptor, Need, PortOffer
from freehold.model.hosts import Ssh
from freehold.model.services import Service

BASE = IPv4Network("10.100.0.0/16")


def machine(domain: str, number: int) -> Machine:
    """Every third one has volumes, so that cards differ in height."""
    volumes = (
        Volume(name="data", path="/var/lib/a/rather/long/path/of/data", size=Size.parse("2GiB")),
        Volume(name="other", path="/srv"),
    )
    return Machine(
        domain=domain,
        name=f"m{number}",
        image="debian/13",
        cpu=1 + number % 4,
        protect=number % 5 == 0,
        volumes=volumes if number % 3 == 0 else (),
    )


def domain(number: int, machines: int, description: str = "") -> Domain:
    name = f"d{number}"
    return Domain(
        name=name,
        subnet_id=number,
        subnet=IPv4Network(f"10.100.{number}.0/24"),
        trust=list(Trust)[number % 4],
        description=description,
        profiles=(Profile(name="big", config={"limits.memory": "4GiB"}),),
        machines=tuple(machine(name, of) for of in range(machines)),
    )


def policy(source: str, target: str, reason: str = "", *, bidirectional: bool = False) -> Policy:
    return Policy(
        source=source,
        target=target,
        protocol=Protocol.TCP,
        ports=((80, 80), (8000, 8100)),
        reason=reason,
        bidirectional=bidirectional,
    )


def estate(sizes: list[int], policies: tuple[Policy, ...] = (), name: str = "test") -> Infra:
    """A domain for each number, with that many machines."""
    domains = tuple(domain(number, machines) for number, machines in enumerate(sizes))
    return Infra(name=name, base=BASE, domains=domains, policies=policies)


def host(number: int, description: str = "") -> Host:
    ssh = Ssh(user="orion", port=2222)
    return Host(name=f"h{number}", address="203.0.113.20", ssh=ssh, description=description)


def service(
    name: str, target: str, *needs: str, published: int | None = None, by_role: bool = False
) -> Service:
    """A store that listens at 5432, published at another port or not at all, and needs other stores."""
    descriptor = Descriptor(
        name="store",
        title="Store",
        description="It stores.",
        version="17",
        container=None if by_role else Container(image="registry.example.org/store"),
        role="store" if by_role else None,
        ports=(PortOffer(name="sql", number=5432), PortOffer(name="other", number=9999)),
        needs=tuple(Need(name=f"need{number}", service="store") for number in range(len(needs))),
    )
    return Service(
        name=name,
        descriptor=descriptor,
        target=target,
        version="17.6",
        published={"sql": published} if published else {},
        needs={f"need{number}": other for number, other in enumerate(needs)},
    )
