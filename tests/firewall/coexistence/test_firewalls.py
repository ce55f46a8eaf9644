"""The doctor and the firewalls that people choose or write: each is named, and what is said to be typed heals."""

import pytest

from tests.firewall.coexistence.asking import (
    ALL,
    Computer,
    look,
    obey,
    passes,
    warned,
)
from tests.firewall.coexistence.neighbours import Neighbours
from tests.firewall.wires import Wires

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.mark.parametrize("policy", ["DROP", "REJECT"])
def test_ufw(policy: str, wires: Wires, neighbours: Neighbours, host: Computer) -> None:
    neighbours.type(f"sed -i 's/FORWARD_POLICY=.*/FORWARD_POLICY=\"{policy}\"/' /etc/default/ufw")
    neighbours.type("ufw --force enable")
    assert passes(wires) == {"within"}
    assert warned(host) == {"ufw"}
    found = look(host, "ufw")
    assert "the machines' requests for an address (DHCP)" in found.detail
    where = "FORWARD of the table ip filter (iptables-nft): policy drop"
    if policy == "REJECT":
        where = "ufw-reject-forward of the table ip filter (iptables-nft): `-A ufw-reject-forward -j REJECT"
    assert f"chain {where}" in found.detail
    assert (
        "(DNS) (net-admin, net-perso, net-pro): chain INPUT of the table ip filter" in found.detail
    )
    obey(neighbours, found)
    assert passes(wires) == ALL
    assert warned(host) == set()


def test_ufw_that_forwards_by_default_only_closes_the_host(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    neighbours.type("sed -i 's/FORWARD_POLICY=.*/FORWARD_POLICY=\"ACCEPT\"/' /etc/default/ufw")
    neighbours.type("ufw --force enable && ufw allow in on net-perso to any port 53")
    assert passes(wires) == {"within", "out", "DNS"}
    found = look(host, "ufw")
    assert "FORWARD" not in found.detail
    assert "questions for names (DNS) (net-admin, net-pro): chain INPUT" in found.detail


def test_firewalld(wires: Wires, neighbours: Neighbours, host: Computer) -> None:
    neighbours.type("firewalld-load")
    assert passes(wires) == {"within"}
    assert warned(host) == {"firewalld"}
    found = look(host, "firewalld")
    assert (
        "chain filter_FWD_public of the table inet firewalld: `reject with icmpx admin-prohibited`"
        in found.detail
    )
    assert "chain filter_IN_public of the table inet firewalld: `reject" in found.detail
    said = obey(neighbours, found)
    assert "sudo firewall-cmd --permanent --zone=trusted --change-interface=net-perso" in said
    assert passes(wires) == ALL
    assert warned(host) == set()


def test_docker_and_ufw_on_one_host(wires: Wires, neighbours: Neighbours, host: Computer) -> None:
    neighbours.type("ufw --force enable")
    neighbours.start_docker()
    assert warned(host) == {"docker", "ufw"}
    obey(neighbours, look(host, "docker"))
    assert warned(host) == {"ufw"}
    obey(neighbours, look(host, "ufw"))
    assert passes(wires) == ALL
    assert warned(host) == set()


def test_iptables_that_drop_by_somebodys_hand(
    wires: Wires, neighbours: Neighbours, host: Computer
) -> None:
    neighbours.type(
        "iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; "
        "iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited; "
        "iptables -A INPUT -i lo -j ACCEPT; iptables -P INPUT DROP"
    )
    assert passes(wires) == {"within"}
    assert warned(host) == {"other firewalls"}
    found = look(host, "other firewalls")
    assert "`-A FORWARD -j REJECT --reject-with icmp-host-prohibited`" in found.detail
    assert "chain INPUT of the table ip filter (iptables-nft): policy drop" in found.detail
    obey(neighbours, found)
    assert passes(wires) == ALL
    assert warned(host) == set()


def test_a_hand_written_nftables_conf(wires: Wires, neighbours: Neighbours, host: Computer) -> None:
    """As many servers have it: only SSH comes in, nothing is forwarded."""
    neighbours.type(
        "nft -f -",
        given="""
        table inet filter {
            chain input {
                type filter hook input priority filter; policy drop;
                iif lo accept
                ct state established,related accept
                tcp dport 22 accept
            }
            chain forward { type filter hook forward priority filter; policy drop; }
        }
        """,
    )
    assert passes(wires) == {"within"}
    assert warned(host) == {"other firewalls"}
    found = look(host, "other firewalls")
    assert "chain forward of the table inet filter: policy drop" in found.detail
    assert "chain input of the table inet filter: policy drop" in found.detail
    obey(neighbours, found)
    assert passes(wires) == ALL
    assert warned(host) == set()


def test_the_rule_that_drops_is_quoted_as_nft_writes_it(
    neighbours: Neighbours, host: Computer
) -> None:
    neighbours.type(
        "nft 'add table inet mullvad; add chain inet mullvad forward { type filter hook forward priority 0; }; "
        'add rule inet mullvad forward oifname "wg0-mullvad" accept; '
        'add rule inet mullvad forward iifname "net-p*" counter reject\''
    )
    found = look(host, "other firewalls")
    assert found.detail.startswith("Mullvad VPN drops what machines send beyond their domain")
    assert "(net-perso, net-pro): chain forward of the table inet mullvad: `iifname" in found.detail
    assert 'iifname "net-p*" counter reject' in found.detail
