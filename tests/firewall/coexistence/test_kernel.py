"""The doctor on tables left behind and on values of the kernel: named, explained, and healed by what it says."""

from dataclasses import replace

import pytest

from freehold.model import FirewallMode, Infra
from freehold.operations.doctor import NotMeasured, Result
from tests.firewall.coexistence.asking import (
    ALL,
    Computer,
    bridge,
    commands,
    connects,
    look,
    obey,
    passes,
    reaches,
    warned,
)
from tests.firewall.coexistence.neighbours import Neighbours
from tests.firewall.conftest import Firewall
from tests.firewall.wires import OUTSIDE, Wires
from tests.unit.operations.incus_server import incus_server

pytestmark = pytest.mark.lab


def test_a_table_that_only_drops(wires: Wires, neighbours: Neighbours, host: Computer) -> None:
    neighbours.type(
        "nft 'add table inet isolation; add chain inet isolation forward "
        "{ type filter hook forward priority -1; policy accept; }; add rule inet isolation forward counter drop'"
    )
    assert "out" not in passes(wires)
    assert warned(host) == {"leftover tables"}
    found = look(host, "leftover tables")
    assert "The table inet isolation drops all" in found.detail
    assert obey(neighbours, found) == ["sudo nft delete table inet isolation"]
    assert passes(wires) == ALL
    assert warned(host) == set()


def test_the_table_of_an_estate_that_is_gone(
    wires: Wires, neighbours: Neighbours, host: Computer, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(replace(infra, name="castle"))
    assert not reaches(wires, "pro/dev", "perso/desk")
    with incus_server(host.socket, {"/1.0/networks?recursion=1": [bridge("castle")]}):
        assert look(host, "leftover tables").result is Result.OK
    host.socket.unlink()
    unit = "freehold-firewall@freehold-castle.service"
    rules = "var/lib/freehold/firewall/freehold-castle.json"
    for path in (rules, f"etc/systemd/system/sysinit.target.wants/{unit}"):
        (host.root / path).parent.mkdir(parents=True)
        (host.root / path).touch()
    with incus_server(host.socket, {"/1.0/networks?recursion=1": [bridge("cottage")]}):
        found = look(host, "leftover tables")
    assert "inet freehold-castle belongs to an estate that has no bridge in Incus" in found.detail
    delete, disable, forget = commands(found.remedy)
    assert (disable, forget) == (f"sudo systemctl disable {unit}", f"sudo rm /{rules}")
    neighbours.type(delete)
    assert reaches(wires, "pro/dev", "perso/desk")


def test_whose_a_table_is_only_incus_can_say(
    host: Computer, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    with pytest.raises(NotMeasured, match="only Incus knows"):
        look(host, "leftover tables")


def test_forwarding_that_is_off(wires: Wires, neighbours: Neighbours, host: Computer) -> None:
    wires.host.set("ipv4/ip_forward", "0")
    assert "out" not in passes(wires)
    with incus_server(host.socket, {"/1.0/networks?recursion=1": [bridge("cottage")]}):
        found = look(host, "forwarding")
    assert found.result is Result.WARNING
    assert "net.ipv4.ip_forward is 0" in found.detail
    obey(neighbours, found)
    assert passes(wires) == ALL
    assert "net.ipv4.ip_forward = 1" in neighbours.type("cat /etc/sysctl.d/60-freehold.conf")
    assert look(host, "forwarding").result is Result.OK


def test_forwarding_that_is_off_for_one_bridge(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    wires.host.set("ipv4/conf/net-perso/forwarding", "0")
    assert "out" not in passes(wires)
    found = look(host, "forwarding")
    assert "net.ipv4.conf.net-perso.forwarding is 0" in found.detail
    obey(neighbours, found)
    assert passes(wires) == ALL


def test_strict_source_checks_matter_where_a_machine_is_the_firewall(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    """perso/desk's way out leads through a machine that has a leg in admin, as sys-firewall has."""
    wires.host.set("ipv4/conf/all/rp_filter", "1")
    router = wires.at("admin/ctl")
    router.set("ipv4/ip_forward", "1")
    wires.host.batch(
        f"link add vethleg type veth peer name eth1 netns {router.pid}",
        "link set vethleg master net-perso up",
    )
    router.batch("link set eth1 up", "addr add 10.100.1.2/24 dev eth1")
    router.set("ipv4/conf/all/send_redirects", "0")
    wires.at("perso/desk").batch("route replace default via 10.100.1.2")
    assert not connects(wires.at("perso/desk"), wires.outside, OUTSIDE)

    assert look(host, "reverse path").result is Result.OK, "firewall: host does not route like this"
    assert host.infra is not None
    machine = replace(host, infra=replace(host.infra, firewall=FirewallMode.MACHINE))
    found = look(machine, "reverse path")
    assert found.result is Result.WARNING
    assert "rp_filter is 1 (strict) for net-admin, net-perso, net-pro" in found.detail
    obey(neighbours, found)
    assert connects(wires.at("perso/desk"), wires.outside, OUTSIDE)
    assert look(machine, "reverse path").result is Result.OK
