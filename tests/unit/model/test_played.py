"""The address that a computer has in the lab: its own where a bridge can carry it, else one that follows from the name."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.model.played import OWN_NETWORK, is_named, played_address, played_network


def test_a_declared_ipv4_address_is_kept_and_neighbours_share_a_network() -> None:
    addresses = [played_address(each) for each in ("203.0.113.20", "203.0.113.7", "198.51.100.7")]
    assert addresses == [
        IPv4Address(each) for each in ("203.0.113.20", "203.0.113.7", "198.51.100.7")
    ]
    assert {played_network(each) for each in addresses} == {
        IPv4Network("203.0.113.0/24"),
        IPv4Network("198.51.100.0/24"),
    }


@pytest.mark.parametrize(
    "declared", ["127.0.0.1", "169.254.1.1", "224.0.0.5", "0.0.0.0", "255.255.255.255", "203.0.113.0",
    "203.0.113.255", "2001:db8::7", "cortex.example.org"],
)  # fmt: skip
def test_what_no_bridge_can_carry_gets_an_address_of_the_labs_own(declared: str) -> None:
    given_address = played_address(declared)
    assert given_address in OWN_NETWORK
    assert played_network(given_address) == OWN_NETWORK


def test_names_are_told_from_addresses_and_their_case_does_not_matter() -> None:
    assert [is_named(each) for each in ("cortex.example.org", "203.0.113.20", "2001:db8::7")] == [
        True,
        False,
        False,
    ]
    assert played_address("Cortex.Example.ORG") == played_address("cortex.example.org")
    assert played_address("cortex.example.org") != played_address("mirage.example.org")


@given(st.text(min_size=1, max_size=63))
def test_an_address_of_the_labs_own_is_never_the_gateway_nor_for_all(name: str) -> None:
    address = played_address(f"{name}.example.org")
    assert OWN_NETWORK.network_address + 1 < address < OWN_NETWORK.broadcast_address
