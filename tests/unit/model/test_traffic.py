"""What infra.yml says about packets, case by case."""

from ipaddress import IPv4Network

import pytest

from freehold.model import Domain, Infra, Machine, Policy, Protocol, Trust
from freehold.model.traffic import Declaration, Flow

TCP, UDP, ICMP = Protocol.TCP, Protocol.UDP, Protocol.ICMP


def domain(
    number: int, name: str, *machines: str, trust: Trust = Trust.TRUSTED, internet: bool = True
) -> Domain:
    return Domain(
        name=name,
        subnet_id=number,
        subnet=IPv4Network(f"10.100.{number}.0/24"),
        trust=trust,
        internet=internet,
        machines=tuple(Machine(domain=name, name=m, image="debian/13") for m in machines),
    )


def declaration(*policies: Policy) -> Declaration:
    return Declaration(
        Infra(
            name="cottage",
            base=IPv4Network("10.100.0.0/16"),
            domains=(
                domain(0, "admin", "ctl", trust=Trust.ADMIN),
                domain(1, "home", "desk", "shelf"),
                domain(2, "lodge", "till", "safe", internet=False),
            ),
            policies=policies,
        )
    )


def may(
    said: Declaration,
    source: str,
    target: str,
    protocol: Protocol = TCP,
    port: int | None = 80,
    gateway_of: str | None = None,
) -> bool:
    flow = Flow(
        source=source,
        target=target,
        protocol=protocol,
        port=None if protocol is ICMP else port,
        gateway_of=gateway_of,
    )
    return said.permission(flow) is not None


def policy(
    source: str,
    target: str,
    *ports: tuple[int, int],
    protocol: Protocol = TCP,
    bidirectional: bool = False,
    reason: str = "",
) -> Policy:
    return Policy(
        source=source,
        target=target,
        protocol=protocol,
        ports=ports,
        bidirectional=bidirectional,
        reason=reason,
    )


@pytest.mark.parametrize("protocol", list(Protocol))
def test_inside_a_domain_everything_passes_and_between_two_nothing(protocol: Protocol) -> None:
    said = declaration()
    assert may(said, "home/desk", "home/shelf", protocol)
    assert not may(said, "home/desk", "lodge/till", protocol)
    assert not may(said, "lodge/till", "home/desk", protocol)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_admin_opens_connections_to_every_machine_and_nobody_to_admin(protocol: Protocol) -> None:
    said = declaration()
    assert may(said, "admin/ctl", "home/desk", protocol)
    assert may(said, "admin/ctl", "lodge/safe", protocol)
    assert not may(said, "home/desk", "admin/ctl", protocol)


def test_trusted_is_not_admin() -> None:
    assert not may(declaration(), "home/desk", "lodge/till", TCP, 22)


def test_a_policy_opens_its_ports_its_protocol_and_its_direction_only() -> None:
    said = declaration(policy("home", "lodge", (80, 80), (8000, 8010)))
    for port in (80, 8000, 8005, 8010):
        assert may(said, "home/desk", "lodge/till", TCP, port)
        assert may(said, "home/shelf", "lodge/safe", TCP, port)
        assert not may(said, "home/desk", "lodge/till", UDP, port)
        assert not may(said, "lodge/till", "home/desk", TCP, port)
    for port in (79, 81, 7999, 8011):
        assert not may(said, "home/desk", "lodge/till", TCP, port)
    assert not may(said, "home/desk", "lodge/till", ICMP)
    assert not may(said, "home/desk", "admin/ctl", TCP, 80)


def test_a_policy_that_names_a_machine_does_not_open_its_neighbours() -> None:
    to_machine = declaration(policy("home", "lodge/till", (80, 80)))
    assert may(to_machine, "home/shelf", "lodge/till")
    assert not may(to_machine, "home/shelf", "lodge/safe")
    from_machine = declaration(policy("home/desk", "lodge", (80, 80)))
    assert may(from_machine, "home/desk", "lodge/safe")
    assert not may(from_machine, "home/shelf", "lodge/safe")


def test_bidirectional_opens_the_same_ports_the_other_way() -> None:
    said = declaration(policy("home/desk", "lodge/till", (80, 80), bidirectional=True))
    assert may(said, "lodge/till", "home/desk", TCP, 80)
    assert not may(said, "lodge/till", "home/desk", TCP, 81)
    assert not may(said, "lodge/safe", "home/desk", TCP, 80)
    assert not may(said, "lodge/till", "home/shelf", TCP, 80)


def test_icmp_needs_a_policy_of_its_own_and_opens_no_port() -> None:
    said = declaration(policy("home", "lodge", protocol=ICMP))
    assert may(said, "home/desk", "lodge/till", ICMP)
    assert not may(said, "lodge/till", "home/desk", ICMP)
    assert not may(said, "home/desk", "lodge/till", TCP)
    assert not may(said, "home/desk", "lodge/till", UDP)


def test_the_host_gives_addresses_and_names_at_the_own_gateway_only() -> None:
    said = declaration()
    for protocol, port in ((UDP, 67), (UDP, 53), (TCP, 53)):
        assert may(said, "home/desk", "host", protocol, port, gateway_of="home")
        assert not may(said, "home/desk", "host", protocol, port, gateway_of="lodge")
        assert not may(said, "home/desk", "host", protocol, port)
    assert not may(said, "home/desk", "host", TCP, 67, gateway_of="home")
    assert not may(said, "home/desk", "host", TCP, 22, gateway_of="home")
    assert not may(said, "home/desk", "host", ICMP, gateway_of="home")


def test_the_host_is_closed_to_admin_too() -> None:
    said = declaration()
    assert not may(said, "admin/ctl", "host", TCP, 22, gateway_of="admin")
    assert not may(said, "admin/ctl", "host", ICMP, gateway_of="admin")


def test_a_policy_to_the_host_is_about_all_of_its_addresses() -> None:
    said = declaration(policy("home/desk", "host", (9100, 9100)))
    assert may(said, "home/desk", "host", TCP, 9100, gateway_of="home")
    assert may(said, "home/desk", "host", TCP, 9100, gateway_of="lodge")
    assert may(said, "home/desk", "host", TCP, 9100)
    assert not may(said, "home/shelf", "host", TCP, 9100)
    assert not may(said, "home/desk", "host", UDP, 9100)


def test_the_host_reaches_every_machine() -> None:
    said = declaration()
    assert all(may(said, "host", end, p) for end in ("home/desk", "lodge/till") for p in Protocol)


def test_the_way_out_is_open_unless_the_domain_says_otherwise() -> None:
    said = declaration(policy("lodge/till", "internet", (443, 443)))
    assert may(said, "home/desk", "internet", UDP, 123)
    assert may(said, "home/desk", "internet", ICMP)
    assert may(said, "lodge/till", "internet", TCP, 443)
    assert not may(said, "lodge/till", "internet", TCP, 80)
    assert not may(said, "lodge/safe", "internet", TCP, 443)


def test_from_the_internet_only_what_a_policy_says() -> None:
    said = declaration(policy("internet", "lodge/till", (443, 443)))
    assert may(said, "internet", "lodge/till", TCP, 443)
    assert not may(said, "internet", "lodge/safe", TCP, 443)
    assert not may(declaration(), "internet", "admin/ctl", TCP, 22)


def test_why_it_passes_is_said() -> None:
    said = declaration(
        policy("home", "lodge", (80, 80)), policy("home", "host", (22, 22), reason="upkeep")
    )
    first = Flow(source="home/desk", target="lodge/till", protocol=TCP, port=80)
    second = Flow(source="home/desk", target="host", protocol=TCP, port=22)
    assert said.permission(first) == "policy 1"
    assert said.permission(second) == "policy 2: upkeep"


def test_a_domain_that_does_not_exist_is_nobodys() -> None:
    with pytest.raises(KeyError):
        declaration().permission(
            Flow(source="attic/box", target="home/desk", protocol=TCP, port=80)
        )
