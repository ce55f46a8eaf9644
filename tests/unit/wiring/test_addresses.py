"""Where services see each other: by name beside, at the other's address elsewhere, in the network of another; and what is opened for it."""

from pathlib import Path

from tests.unit.wiring.estates import entries, estate, seen_by, service

HERE_AND_THERE = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      meter: {on: cortex}
      store: {on: cortex}
      here: {on: cortex, service: shop, ports: {metrics: 9000}}
      there: {on: synapse, service: shop, ports: {metrics: 9000}}
      node: {on: cortex, service: node-exporter}
    """


def test_what_is_measured_is_reached_wherever_it_is(tmp_path: Path) -> None:
    infra = estate(tmp_path, HERE_AND_THERE)
    found = {each["service"]: each for each in seen_by(infra, "meter").scrapes}
    assert {name: each["address"] for name, each in found.items()} == {
        "here": "here:8001",
        "meter": "127.0.0.1:9090",
        "node": "host.docker.internal:9100",
        "there": "203.0.113.21:9000",
    }
    assert found["there"] == {
        "service": "there", "kind": "shop", "target": "synapse",
        "address": "203.0.113.21:9000", "path": "/measured", "scheme": "http",
    }  # fmt: skip
    made = entries(infra)
    assert made["meter"]["networks"] == ["monitoring"]
    assert made["meter"]["extra_hosts"] == ["host.docker.internal:host-gateway"]
    assert made["there"]["ports"] == ["9000:8001/tcp"]


def test_a_port_that_is_measured_from_elsewhere_is_open_to_who_measures(tmp_path: Path) -> None:
    infra = estate(tmp_path, HERE_AND_THERE.replace(", ports: {metrics: 9000}}", "}"))
    there = service(infra, "there")
    assert there.published == {"metrics": 8001}
    assert there.reached_from == {"metrics": ("203.0.113.20",)}
    assert service(infra, "here").published == {}, "they meet in a network of Docker's"


def test_nobody_waits_for_what_he_only_reaches(tmp_path: Path) -> None:
    """Two that measure each other would wait for ever."""
    text = HERE_AND_THERE.replace("store: {on", "other: {on: synapse, service: meter}\n      store: {on")  # fmt: skip
    infra = estate(tmp_path, text)
    assert service(infra, "meter").needs == service(infra, "other").needs == {}
    assert service(infra, "other").reaches["meter"] == ("http",)
    assert service(infra, "meter").reaches["other"] == ("http",)


IN_A_NETWORK = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      vpn: {on: cortex}
      loader: {on: cortex, ports: {http: 8090}, from: {http: [synapse]}, expose: {host: load.example.org}}
      store: {on: cortex}
      meter: {on: cortex}
      far: {on: synapse, service: meter}
      proxy: {on: cortex}
    """


def test_who_has_the_network_of_another_is_reached_there(tmp_path: Path) -> None:
    infra = estate(tmp_path, IN_A_NETWORK)
    assert seen_by(infra, "proxy").routes[0]["upstream"] == "vpn:8080"
    addresses = {name: {each["service"]: each["address"] for each in seen_by(infra, name).scrapes} for name in ("meter", "far")}  # fmt: skip
    assert addresses["meter"]["loader"] == "vpn:8080"
    assert addresses["far"]["loader"] == "203.0.113.20:8090"


def test_what_belongs_to_a_network_stands_at_the_service_whose_it_is(tmp_path: Path) -> None:
    made = entries(estate(tmp_path, IN_A_NETWORK))
    assert made["loader"]["network_mode"] == "service:vpn"
    assert {"networks", "ports", "extra_hosts"}.isdisjoint(made["loader"])
    assert made["vpn"]["ports"] == ["8090:8080/tcp"]
    assert made["vpn"]["networks"] == ["data", "vpn", "web"], "the loader's port, and its store"
