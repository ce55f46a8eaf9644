"""What passes and what does not, by packets over real bridges: the promise of a domain."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from freehold.model import Infra
from tests.firewall.conftest import Firewall
from tests.firewall.wires import HOST_OUTSIDE, OUTSIDE, Wires, forge, listening

WAYS = [("icmp", 0), ("tcp", 8080), ("udp", 8080)]
WithPolicies = Callable[[str], Infra]


def domain(name: str) -> str:
    return name.partition("/")[0]


def test_without_rules_everything_passes(wires: Wires) -> None:
    tries = [(*pair, "tcp", 22) for pair in itertools.permutations(wires.machines, 2)]
    assert wires.reached(tries) == set(tries)


def test_domains_are_closed_to_each_other_and_admin_reaches_all(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    tries = [(*pair, *way) for pair in itertools.permutations(wires.machines, 2) for way in WAYS]
    allowed = {each for each in tries if domain(each[0]) in {"admin", domain(each[1])}}
    assert wires.reached(tries) == allowed


def test_the_host_is_closed_on_every_address_but_for_dns_and_dhcp_at_the_own_gateway(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    gateways = {each.name: str(each.gateway) for each in infra.domains}
    pairs = list(itertools.product(wires.machines, [*gateways.values(), HOST_OUTSIDE]))
    always = [("tcp", 53), ("udp", 53), ("udp", 67)]
    tries = [(*pair, *way) for pair in pairs for way in (*always, *WAYS, ("tcp", 22))]
    own = {(name, gateways[domain(name)], *way) for name in wires.machines for way in always}
    assert wires.reached(tries) == own


def test_the_host_reaches_every_machine(wires: Wires, firewall: Firewall, infra: Infra) -> None:
    firewall.apply(infra)
    tries = [("host", machine, *way) for machine in wires.machines for way in WAYS]
    assert wires.reached(tries) == set(tries)


def test_the_way_out_is_open_unless_the_domain_says_otherwise(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    out = [(machine, OUTSIDE, *way) for machine in wires.machines for way in WAYS]
    comes_in = [("outside", machine, *way) for machine in wires.machines for way in WAYS]
    allowed = {each for each in out if domain(each[0]) != "pro"}
    assert wires.reached([*out, *comes_in]) == allowed, "and nothing comes in by itself"


ENDS_OF_POLICIES = [
    ("from: perso, to: pro", ["perso/desk", "perso/tv"], ["pro/dev", "pro/web"]),
    ("from: perso, to: pro/dev", ["perso/desk", "perso/tv"], ["pro/dev"]),
    ("from: perso/desk, to: pro", ["perso/desk"], ["pro/dev", "pro/web"]),
    ("from: perso/desk, to: pro/dev", ["perso/desk"], ["pro/dev"]),
    ("from: pro, to: internet", ["pro/dev", "pro/web"], ["outside"]),
    ("from: pro/dev, to: internet", ["pro/dev"], ["outside"]),
    ("from: internet, to: pro", ["outside"], ["pro/dev", "pro/web"]),
    ("from: internet, to: pro/dev", ["outside"], ["pro/dev"]),
]


@pytest.mark.parametrize(("ends", "sources", "targets"), ENDS_OF_POLICIES)
def test_a_policy_opens_exactly_what_it_says(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies, ends: str,
    sources: list[str], targets: list[str],
) -> None:  # fmt: skip
    firewall.apply(with_policies(f'- {{{ends}, ports: [8080, "9000-9002"], protocol: udp}}\n'))
    names = [name for name in (*wires.machines, "outside") if domain(name) != "admin"]
    between = [
        pair for pair in itertools.permutations(names, 2) if domain(pair[0]) != domain(pair[1])
    ]
    ways = [("udp", port) for port in (8079, 8080, 8081, 8999, 9000, 9002, 9003)]
    tries = [(*pair, *way) for pair in between for way in (*ways, ("tcp", 8080), ("icmp", 0))]
    always = {each for each in tries if each[1] == "outside" and domain(each[0]) == "perso"}
    opened = {
        (source, target, "udp", port)
        for source in sources
        for target in targets
        for port in (8080, 9000, 9002)
    }
    assert wires.reached(tries) == always | opened


def test_both_directions_only_when_asked(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies
) -> None:
    firewall.apply(
        with_policies("- {from: perso, to: pro/dev, ports: [8080], bidirectional: true}\n")
    )
    assert wires.reaches("perso/tv", "pro/dev", "tcp", 8080)
    assert wires.reaches("pro/dev", "perso/tv", "tcp", 8080)
    assert not wires.reaches("pro/web", "perso/tv", "tcp", 8080)


def test_icmp_opens_icmp_and_nothing_else(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies
) -> None:
    firewall.apply(with_policies("- {from: perso, to: pro, protocol: icmp}\n"))
    assert wires.reaches("perso/desk", "pro/dev", "icmp")
    assert not wires.reaches("perso/desk", "pro/dev", "tcp", 8080)
    assert not wires.reaches("perso/desk", "pro/dev", "udp", 8080)
    assert not wires.reaches("pro/dev", "perso/desk", "icmp")


def test_a_service_of_the_host_is_open_to_whom_a_policy_names(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies
) -> None:
    firewall.apply(with_policies("- {from: perso/desk, to: host, ports: [22]}\n"))
    assert wires.reaches("perso/desk", "10.100.1.1", "tcp", 22)
    assert wires.reaches("perso/desk", HOST_OUTSIDE, "tcp", 22), "the host, whichever address"
    assert not wires.reaches("perso/desk", "10.100.1.1", "tcp", 23)
    assert not wires.reaches("perso/tv", "10.100.1.1", "tcp", 22)


def test_a_port_that_docker_publishes_on_the_host_is_a_port_of_the_host(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies
) -> None:
    """Its packets are sent on before they would end at the host; here to a container behind the outside."""
    firewall.apply(with_policies("- {from: perso/desk, to: host, ports: [80]}\n"))
    rule = f"fib daddr type local tcp dport {{ 80, 81 }} dnat to {OUTSIDE}:8080"
    table = f"""
        table ip docker {{
            chain published {{
                type nat hook prerouting priority dstnat
                {rule}
            }}
        }}
    """
    wires.host.run("nft", "-f", "-", given=table)
    assert wires.reaches("perso/desk", "10.100.1.1", "tcp", 80)
    assert not wires.reaches("perso/tv", "10.100.1.1", "tcp", 80)
    assert not wires.reaches("perso/desk", "10.100.1.1", "tcp", 81)
    assert not wires.reaches("pro/dev", "10.100.2.1", "tcp", 80)


def test_a_revoked_policy_ends_open_connections(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies, infra: Infra
) -> None:
    firewall.apply(with_policies("- {from: perso, to: pro, ports: [8080]}\n"))
    revoked = wires.connected("perso/desk", "pro/dev", 8080)
    inside = wires.connected("pro/web", "pro/dev", 8081)
    always = wires.connected("admin/ctl", "pro/dev", 8082)
    out = wires.connected("perso/desk", "outside", 8083)
    kept = (inside, always, out)
    assert revoked.passes()
    firewall.apply(infra)
    assert not revoked.passes()
    assert all(connection.passes() for connection in kept), "whatever else is open goes on"
    for connection in (revoked, *kept):
        connection.end()


def test_without_internet_open_connections_to_the_outside_end(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    opened = [replace(each, internet=True) for each in infra.domains]
    firewall.apply(replace(infra, domains=tuple(opened)))
    connection = wires.connected("pro/dev", "outside", 8080)
    assert connection.passes()
    firewall.apply(infra)
    assert not connection.passes()
    connection.end()


@pytest.mark.parametrize("forged", ["10.100.0.10", "10.100.1.11", "203.0.113.77"])
def test_a_forged_source_address_arrives_nowhere(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies, forged: str
) -> None:
    infra = with_policies(
        "- {from: perso/tv, to: pro/dev, ports: [8080], protocol: udp}\n"
        "- {from: perso/tv, to: host, ports: [8080], protocol: udp}\n"
        "- {from: internet, to: pro/dev, ports: [8080], protocol: udp}\n"
    )
    with listening(wires.at("pro/dev"), 8080) as machine, listening(wires.host, 8080) as host:
        firewall.apply(infra)
        forge(wires.at("pro/web"), forged, "10.100.1.10", 8080, b"!")
        for source in ("outside", "perso/desk") if forged != "203.0.113.77" else ("perso/desk",):
            if (source, forged) == ("perso/desk", "10.100.1.11"):
                continue  # its neighbour in the same domain: the NIC's filters are for that
            forge(wires.at(source), forged, "10.100.2.10", 8080, b"!")
            forge(wires.at(source), forged, "10.100.1.1", 8080, b"!")
        for hearer in (machine, host):
            with pytest.raises(TimeoutError):
                hearer.recv(16)
        forge(wires.at("perso/tv"), "10.100.1.11", "10.100.2.10", 8080, b"true")
        assert machine.recv(16) == b"true", "forging works here, and the true sender is heard"


def test_bridges_that_are_not_ours_are_left_alone(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    """Another bridge of the host, with a machine of somebody else's behind it."""
    other = wires.machines["theirs/one"] = type(wires.host)()
    wires.host.batch(
        "link add br0 type bridge", "link set br0 up", "addr add 198.51.100.1/24 dev br0",
        f"link add veth99 type veth peer name eth0 netns {other.pid}", "link set veth99 master br0 up",
    )  # fmt: skip
    other.batch(
        "link set eth0 up",
        "addr add 198.51.100.10/24 dev eth0",
        "route add default via 198.51.100.1",
    )
    firewall.apply(infra)
    assert wires.reaches("theirs/one", OUTSIDE, "tcp", 80)
    assert wires.reaches("theirs/one", "198.51.100.1", "tcp", 22)
    assert wires.reaches("outside", "198.51.100.10", "tcp", 80)
    assert not wires.reaches("theirs/one", "10.100.1.10", "tcp", 80)
