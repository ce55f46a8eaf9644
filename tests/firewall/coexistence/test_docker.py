"""The doctor and Docker: its drop is named, and what is said to be typed makes packets pass."""

import re

import pytest

from freehold.model import Infra
from freehold.operations.doctor import Finding, Result, Subject
from freehold.system.docker_user import DockerUser
from tests.firewall.coexistence.asking import (
    ALL,
    BRIDGES,
    Computer,
    bridge,
    commands,
    look,
    obey,
    passes,
    warned,
)
from tests.firewall.coexistence.neighbours import DOCKER_26, DOCKER_28, Neighbours
from tests.firewall.conftest import Firewall
from tests.firewall.wires import Wires
from tests.unit.operations.incus_server import incus_server

pytestmark = pytest.mark.lab


def test_a_host_of_our_own_has_nothing_to_complain_of(
    wires: Wires, host: Computer, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    with incus_server(host.socket, {"/1.0/networks?recursion=1": [bridge("cottage")]}):
        assert warned(host) == set()
    assert passes(wires) == ALL


@pytest.mark.parametrize(
    ("program", "chains"),
    [("iptables-nft", DOCKER_28), ("iptables-nft", DOCKER_26), ("iptables-legacy", DOCKER_26)],
)
def test_dockers_drop(
    program: str, chains: str, wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    neighbours.start_docker(chains, program)
    assert passes(wires) == ALL - {"out"}
    assert warned(host) == {"docker"}
    found = look(host, "docker")
    assert f"chain FORWARD of the table ip filter ({program}): policy drop" in found.detail
    assert "what machines send beyond their domain" in found.detail
    assert "freehold apply" in (found.remedy or "")
    said = obey(neighbours, found)
    assert f"sudo {program} -I DOCKER-USER -i net-+ -j ACCEPT" in said
    assert passes(wires) == ALL
    assert warned(host) == set()


def test_what_apply_puts_into_dockers_chain_is_enough_for_the_doctor(
    neighbours: Neighbours, host: Computer
) -> None:
    neighbours.start_docker()
    DockerUser(neighbours.prefix).write("cottage", ["net-admin", "net-perso"])
    assert "(net-pro)" in look(host, "docker").detail
    DockerUser(neighbours.prefix).write("cottage", BRIDGES)
    assert look(host, "docker") == Finding(
        Result.OK, "Docker's rules are loaded; they let the bridges pass."
    )


def test_docker_in_the_lab_is_healed_in_the_lab(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    neighbours.start_docker()
    lab = Subject(
        socket=host.socket, state=host.state, infra=host.infra, in_lab=True, lab=neighbours.pid
    )
    found = look(lab, "docker")
    assert "freehold --lab apply" in (found.remedy or "")
    said = re.findall(r"(?m)^    freehold lab run -- (.*)$", found.remedy or "")
    for command in said:
        neighbours.type(command)
    assert passes(wires) == ALL
    assert look(lab, "docker").result is Result.OK


def test_old_rules_without_their_program_are_not_judged(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    neighbours.start_docker(DOCKER_26, "iptables-legacy")
    neighbours.type("mount --bind /dev/null /usr/sbin/iptables-legacy-save")
    found = look(host, "docker")
    assert found.result is Result.NOT_MEASURED
    assert "iptables-legacy" in found.detail


def test_br_netfilter_brings_dockers_drop_into_the_domain(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    wires.host.set("bridge/bridge-nf-call-iptables", "1")
    neighbours.start_docker()
    assert passes(wires) == {"DHCP", "DNS"}
    assert warned(host) == {"docker", "br_netfilter"}
    found = look(host, "br_netfilter")
    assert "net.bridge.bridge-nf-call-iptables is 1" in found.detail
    assert "chain FORWARD of the table ip filter (iptables-nft): policy drop" in found.detail
    obey(neighbours, found)
    assert passes(wires) == ALL - {"out"}
    assert warned(host) == {"docker"}


def test_br_netfilter_alone_is_no_harm(
    wires: Wires, neighbours: Neighbours, host: Computer, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    wires.host.set("bridge/bridge-nf-call-iptables", "1")
    assert passes(wires) == ALL
    found = look(host, "br_netfilter")
    assert found.result is Result.OK
    assert "is 1" in found.detail


def test_a_table_of_the_bridges_that_drops_is_named(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    neighbours.type(
        "nft 'add table bridge strict; add chain bridge strict inside "
        "{ type filter hook forward priority 0; policy drop; }; "
        "add rule bridge strict inside ether type arp accept'"
    )
    assert "within" not in passes(wires)
    found = look(host, "other firewalls")
    assert "what machines of one domain send each other" in found.detail
    assert "chain inside of the table bridge strict: policy drop" in found.detail
    [command] = commands(found.remedy)
    try:
        neighbours.type(command)
    except AssertionError as failure:
        if "Operation not supported" in str(failure):
            pytest.skip("this kernel cannot match bridges by name (CONFIG_NFT_BRIDGE_META)")
        raise
    assert passes(wires) == ALL
    assert warned(host) == set()
