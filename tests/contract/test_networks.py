"""Bridges: what Incus adds to them by itself, what it refuses, and when they may go."""

from ipaddress import IPv4Interface, IPv6Interface

import pytest

from tests.contract.site import Site, refused


def test_a_bridge_keeps_what_was_given_and_adds_nothing(server: Site) -> None:
    config = {
        "ipv4.address": f"{server.host(1)}/24",
        "ipv4.dhcp.ranges": f"{server.host(200)}-{server.host(250)}",
        "ipv4.nat": "true",
        "ipv6.address": "none",
        "user.freehold.estate": "maison",
    }
    server.add_network(server.bridge, **config)

    bridge = server.get(f"/networks/{server.bridge}")
    assert bridge["config"] == config
    assert (bridge["type"], bridge["managed"], bridge["status"]) == ("bridge", True, "Created")
    assert (bridge["project"], bridge["used_by"]) == ("default", [])
    assert f"/1.0/networks/{server.bridge}" in server.get("/networks")
    assert bridge in server.get("/networks", recursion="1")


def test_addresses_that_are_not_given_are_found_and_get_nat(server: Site) -> None:
    server.add_network(server.bridge)

    config = server.get(f"/networks/{server.bridge}")["config"]
    assert set(config) == {"ipv4.address", "ipv4.nat", "ipv6.address", "ipv6.nat"}
    assert IPv4Interface(config["ipv4.address"]).network.prefixlen == 24
    assert IPv6Interface(config["ipv6.address"]).network.prefixlen == 64
    assert (config["ipv4.nat"], config["ipv6.nat"]) == ("true", "true")


def test_a_bridge_without_addresses(server: Site) -> None:
    config = {"ipv4.address": "none", "ipv6.address": "none"}
    server.add_network(server.bridge, **config)

    assert server.get(f"/networks/{server.bridge}")["config"] == config


@pytest.mark.parametrize(
    ("name", "config", "status", "words"),
    [
        ("net-0123456789ab", {}, 400, "too long (maximum 15 characters)"),
        ("n", {}, 400, "too short"),
        ("net b", {}, 400, "invalid characters"),
        ("", {}, 400, "No name provided"),
        ("lo", {}, 500, "already exists"),
        ("net-bad", {"ipv4.addres": "10.1.0.1/24"}, 500, 'option "ipv4.addres"'),
        ("net-bad", {"ipv4.address": "10.1.0.1"}, 500, "invalid CIDR address"),
        ("net-bad", {"ipv4.address": "10.1.0.0/24"}, 500, "Not a usable IPv4 address"),
        ("net-bad", {"ipv4.address": "fd42::1/64"}, 500, "Not an IPv4 address"),
        ("net-bad", {"ipv4.nat": "maybe"}, 500, "Invalid value for a boolean"),
    ],
)
def test_refusals_of_a_new_bridge(
    server: Site, name: str, config: dict[str, str], status: int, words: str
) -> None:
    with refused(status, words):
        server.send("POST", "/networks", {"name": name, "config": config})
    assert "/1.0/networks/net-bad" not in server.get("/networks")


def test_a_name_or_a_gateway_that_is_taken(server: Site) -> None:
    config = {"ipv4.address": f"{server.host(1)}/24", "ipv6.address": "none"}
    server.add_network(server.bridge, **config)

    with refused(409, f'Network "{server.bridge}" already exists'):
        server.send("POST", "/networks", {"name": server.bridge})
    with refused(500, "Address already in use"):
        server.send("POST", "/networks", {"name": "net-other", "config": config})
    with refused(404, "Network not found"):
        server.get("/networks/net-other")


def test_put_replaces_and_fills_nothing_in(server: Site) -> None:
    path = f"/networks/{server.bridge}"
    server.add_network(server.bridge, **{"ipv4.address": "none", "ipv6.address": "none"})

    server.send("PUT", path, {"config": {"ipv6.address": "none", "user.a": "1"}})
    assert server.get(path)["config"] == {"ipv6.address": "none", "user.a": "1"}
    server.send("PATCH", path, {"config": {"user.b": "2"}, "description": "d"})
    assert server.get(path)["config"] == {"ipv6.address": "none", "user.a": "1", "user.b": "2"}
    assert server.get(path)["description"] == "d"
    server.send("PUT", path, {"config": {"ipv4.address": "auto", "ipv6.address": "none"}})
    found = IPv4Interface(server.get(path)["config"]["ipv4.address"])
    assert found.network.prefixlen == 24
    assert server.get(path)["description"] == ""
    with refused(400, 'option "ipv4.bogus"'):
        server.send("PUT", path, {"config": {"ipv4.bogus": "1"}})


def test_bridges_are_shared_by_projects_without_networks_of_their_own(site: Site) -> None:
    assert site.get(f"/networks/{site.bridge}", project=site.project)["project"] == "default"


def test_a_bridge_that_is_used_stays(site: Site) -> None:
    path = f"/networks/{site.bridge}"
    site.create("one")

    assert set(site.get(path)["used_by"]) == {
        f"/1.0/profiles/default?project={site.project}",
        f"/1.0/instances/one?project={site.project}",
    }
    with refused(400, "The network is currently in use"):
        site.send("DELETE", path)
    with refused(400, "Network is currently in use"):
        site.send("POST", path, {"name": "net-other"})
    site.delete("one")
    with refused(400, "The network is currently in use"):
        site.send("DELETE", path)
    site.send("PUT", "/profiles/default", {"devices": {}}, project=site.project)
    site.send("DELETE", path)
    assert path not in site.get("/networks")


def test_missing_bridges(server: Site) -> None:
    with refused(404, "Network not found"):
        server.get("/networks/none")
    with refused(404, "Network not found"):
        server.send("PUT", "/networks/none", {"config": {}})
    with refused(404, "Network not found"):
        server.send("DELETE", "/networks/none")


def test_the_loopback_is_listed_and_not_managed(server: Site) -> None:
    loopback = {each["name"]: each for each in server.get("/networks", recursion="1")}["lo"]
    assert (loopback["managed"], loopback["config"], loopback["status"]) == (False, {}, "")
