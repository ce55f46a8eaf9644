"""Names for people: who serves them, by which way, and behind which login."""

from pathlib import Path

from tests.unit.wiring.estates import estate, file_of, seen_by, service

TWO_PROXIES = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      left: {on: cortex, service: proxy}
      right: {on: synapse, service: proxy}
      gate: {on: cortex, expose: {host: login.example.org, public: true, auth: none, reason: it is the login}}
      prober: {on: synapse}
      meter: {on: cortex}
      store: {on: cortex}
      shop: {on: cortex, expose: {host: shop.example.org, public: true}}
      stall: {on: synapse, service: shop, expose: {host: stall.example.org}}
      page: {on: synapse, service: shop, ports: {http: 8080, metrics: 8081}, expose: {host: www.example.org, public: true, auth: none, reason: for all}}
    """
GATE = "gate: {on: cortex, expose: {host: login.example.org, public: true, auth: none, reason: it is the login}}"
EXPOSED = {"kind": "shop", "scheme": "http"}


def test_the_proxy_on_the_same_target_serves(tmp_path: Path) -> None:
    infra = estate(tmp_path, TWO_PROXIES)
    login, shop = seen_by(infra, "left").routes
    assert (login["host"], login["upstream"]) == ("login.example.org", "gate:9091")
    assert shop == {"host": "shop.example.org", "service": "shop", **EXPOSED, "target": "cortex", "public": True,
         "auth": "two_factor", "ingress": "left", "upstream": "shop:8000"}  # fmt: skip
    assert [(each["host"], each["auth"], each["upstream"]) for each in seen_by(infra, "right").routes] == [
        ("www.example.org", "none", "page:8000"),
        ("stall.example.org", "none", "stall:8000"),
    ]  # fmt: skip


def test_everybody_knows_the_names_and_who_serves_them(tmp_path: Path) -> None:
    infra = estate(tmp_path, TWO_PROXIES)
    found = seen_by(infra, "gate").exposures
    assert [(each["host"], each["public"], each["ingress"]) for each in found] == [
        ("login.example.org", True, "left"),
        ("www.example.org", True, "right"),
        ("shop.example.org", True, "left"),
        ("stall.example.org", False, "right"),
    ]
    assert all("upstream" not in each for each in found)
    assert seen_by(infra, "gate").routes == []


def test_the_only_proxy_serves_all(tmp_path: Path) -> None:
    infra = estate(tmp_path, TWO_PROXIES.replace("right: {on: synapse, service: proxy}", ""))
    assert service(infra, "left").serves == ("gate", "page", "shop", "stall")
    upstreams = {each["service"]: each["upstream"] for each in seen_by(infra, "left").routes}
    assert upstreams == {
        "gate": "gate:9091",
        "page": "203.0.113.21:8080",
        "shop": "shop:8000",
        "stall": "203.0.113.21:8000",
    }


def test_a_need_that_nothing_meets_is_none(tmp_path: Path) -> None:
    infra = estate(tmp_path, TWO_PROXIES)
    assert file_of(infra, "left", "/etc/proxy/routes.yml").startswith("login: gate:9091\nroutes:\n")
    text = TWO_PROXIES.replace(GATE, "").replace(", public: true}}", "}}")
    without = estate(tmp_path, text)
    assert file_of(without, "left", "/etc/proxy/routes.yml").startswith("routes:\n")


def test_the_ingress_is_the_nearest(tmp_path: Path) -> None:
    infra = estate(tmp_path, TWO_PROXIES)
    near, far = seen_by(infra, "gate").ingress, seen_by(infra, "prober").ingress
    assert near == {"service": "left", "target": "cortex", "address": "203.0.113.20", "host": "left", "ports": {"https": 443}, "addresses": {"https": "left:443"}}  # fmt: skip
    assert far is not None
    assert (far["service"], far["host"]) == ("right", "right")


def test_a_prober_looks_at_what_has_a_name_and_at_what_nobody_measures(tmp_path: Path) -> None:
    infra = estate(tmp_path, TWO_PROXIES)
    probes = seen_by(infra, "meter").probes
    assert [(each["service"], each["url"], each["through"]) for each in probes if each["module"] == "answers"] == [
        ("gate", "http://203.0.113.20:9091", "203.0.113.21:9115"),
        ("page", "http://page:8000", "203.0.113.21:9115"),
        ("shop", "http://203.0.113.20:8000", "203.0.113.21:9115"),
        ("stall", "http://stall:8000", "203.0.113.21:9115"),
    ]  # fmt: skip
    assert [(each["service"], each["asked"], each["host"]) for each in probes if each["module"] == "tcp"] == [
        ("left", "203.0.113.20:443", ""),
        ("right", "right:443", ""),
        ("store", "203.0.113.20:7000", ""),
    ]  # fmt: skip
    assert service(infra, "store").reached_from == {"store": ("203.0.113.21",)}, (
        "the port is opened for it"
    )
    assert service(infra, "prober").serves == ()
