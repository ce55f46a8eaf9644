"""Where egress leads: not to this computer, not to its networks, however the address is written."""

import asyncio
import json
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.operations.lab.egress import gate as gates
from freehold.operations.lab.egress.gate import (
    Gate,
    OwnNetworks,
    Remembered,
    RequestRefusedError,
    networks_of,
)
from freehold.operations.lab.egress.targets import IPNetwork, Target, why_closed

PRIVATE = [IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "this computer"),
        ("127.9.9.9", "this computer"),
        ("0.0.0.0", "this computer"),
        ("::1", "this computer"),
        ("::", "this computer"),
        ("10.100.3.1", "a private network"),
        ("172.31.255.255", "a private network"),
        ("192.168.1.1", "a private network"),
        ("100.64.0.1", "a private network"),
        ("fd00::2", "a private network"),
        ("169.254.169.254", "a link-local network"),
        ("fe80::1%eth0", "a link-local network"),
        ("224.0.0.1", "no single host"),
        ("255.255.255.255", "no single host"),
        ("2001:0:1::1", "behind a translation that hides the real address"),
        ("198.51.100.7", "this computer's own network"),
        ("172.32.0.1", None),
        ("203.0.113.9", None),
        ("2001:db8::1", None),
        ("64:ff9b::203.0.113.9", None),
    ],
)
def test_what_is_open_and_what_is_not(address: str, reason: str | None) -> None:
    assert why_closed(ip_address(address), [IPv4Network("198.51.100.0/24")]) == reason


@given(st.sampled_from(PRIVATE).flatmap(lambda net: st.integers(int(net[0]), int(net[-1]))))
def test_no_spelling_of_a_private_address_is_open(number: int) -> None:
    mapped, nat64 = 0xFFFF << 32, 0x64FF9B << 96
    assert why_closed(IPv4Address(number), []) == "a private network"
    for spelled in (mapped | number, nat64 | number, (0x2002 << 112) | (number << 80)):
        assert why_closed(IPv6Address(spelled), []) == "a private network"


def test_targets_are_read_as_proxies_get_them() -> None:
    assert Target.of_authority("Example.org:443") == Target("example.org", 443)
    assert Target.of_authority("[2001:db8::1]:8443") == Target("2001:db8::1", 8443)
    assert str(Target("2001:db8::1", 80)) == "[2001:db8::1]:80"
    assert Target.of_address("https://example.org/simple/") == Target("example.org", 443)
    for wrong in ("example.org", ":443", "user@example.org:443", "example.org:99999", "a:1/b"):
        with pytest.raises(ValueError, match=r".+"):
            Target.of_authority(wrong)
    for wrong in ("ftp://example.org/", "/etc/passwd", "http://", "example.org:80"):
        with pytest.raises(ValueError, match=r".+"):
            Target.of_address(wrong)


def gate(found: Sequence[str], mirrors: Sequence[Target] = ()) -> Gate:
    """A gate for which every name has these addresses, on a computer in 198.51.100.0/24."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        if not found:
            raise OSError("no such name")
        return found

    async def networks() -> Sequence[IPNetwork]:
        return [IPv4Network("198.51.100.0/24")]

    return Gate(frozenset(mirrors), lookup, networks)


def addresses(gate: Gate, host: str, port: int = 443) -> Sequence[str]:
    return asyncio.run(gate.addresses(Target(host, port)))


def test_of_a_names_addresses_only_the_open_ones_are_used() -> None:
    assert addresses(gate(["10.0.0.1", "203.0.113.9", "::1"]), "example.org") == ["203.0.113.9"]
    with pytest.raises(RequestRefusedError, match="is a private network") as caught:
        addresses(gate(["10.0.0.1"]), "example.org")
    assert caught.value.status == 403
    assert "10.0.0.1" not in str(caught.value), "a machine does not learn what names mean here"


def test_a_mirror_is_open_wherever_it_is_but_only_on_its_port() -> None:
    mine = gate(["192.168.1.5"], [Target("mirror.example.org", 3142)])
    assert addresses(mine, "mirror.example.org", 3142) == ["192.168.1.5"]
    with pytest.raises(RequestRefusedError, match="a private network"):
        addresses(mine, "mirror.example.org", 80)
    with pytest.raises(RequestRefusedError, match="ports 80 and 443, not to 3142"):
        addresses(mine, "other.example.org", 3142)


def test_a_name_that_means_nothing_is_no_refusal() -> None:
    with pytest.raises(RequestRefusedError, match="cannot be looked up") as caught:
        addresses(gate([]), "example.org")
    assert caught.value.status == 502


def test_own_networks_are_those_of_all_interfaces() -> None:
    listed = json.dumps(
        [
            {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
            {"ifname": "eth0", "addr_info": [{"local": "198.51.100.7", "prefixlen": 24}]},
            {
                "ifname": "tun0",
                "addr_info": [{"local": "203.0.113.1", "address": "203.0.113.2", "prefixlen": 32}],
            },
            {"ifname": "odd0", "addr_info": [{"local": "192.0.2.1", "prefixlen": 0}]},
            {"ifname": "down0"},
        ]
    )
    found = [str(network) for network in networks_of(listed)]
    assert found == ["127.0.0.0/8", "198.51.100.0/24", "203.0.113.1/32", "203.0.113.2/32"]


def test_without_knowing_its_own_networks_nothing_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(argv: Sequence[str]) -> str:
        raise OSError("no ip here")

    monkeypatch.setattr("freehold.operations.lab.egress.gate.require", refuse)
    with pytest.raises(RequestRefusedError, match="cannot be told"):
        asyncio.run(OwnNetworks()())


def test_a_name_is_looked_up_once_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        if host == "unknown.example.org":
            raise OSError("no such name")
        return ["203.0.113.9"]

    async def scene() -> None:
        remembered = Remembered(lookup)
        for _ in range(3):
            assert await remembered("example.org", 443) == ["203.0.113.9"]
        assert asked == ["example.org"]
        for _ in range(2):
            with pytest.raises(OSError, match="no such name"):
                await remembered("unknown.example.org", 443)
        assert len(asked) == 3, "what failed is tried again"
        monkeypatch.setattr(gates, "NAME_SECONDS", -1.0)
        await remembered("example.net", 443)
        await remembered("example.net", 443)
        assert len(asked) == 5, "and what is old"

    asyncio.run(scene())
