"""Where services see each other: by name beside, at the other's address elsewhere, in the network of another; and what is opened for it."""

import re
import textwrap
from pathlib import Path

from freehold.model import Infra
from freehold.providers.compose.content import contents
from freehold.providers.compose.desired import wanted
from freehold.system.secrets.fake import FakeSecrets
from freehold.wiring.context import own_context
from tests.provider.estate import infra_of
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


FAR = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: "2001:db8::20"}
      synapse: {address: "2001:db8::21"}
      thalamus: {address: "2001:db8::22"}
    services:
      alertmanager: {on: synapse, expose: {host: alerts.example.org, auth: one_factor}}
      cache: {on: synapse, service: redis}
      chat: {on: cortex, service: open-webui}
      db: {on: synapse, service: postgresql}
      door: {on: cortex, service: caddy}
      grafana: {on: cortex, needs: {metrics: numbers}}
      logs: {on: cortex, service: alloy}
      login: {on: thalamus, service: authelia, settings: {storage: postgresql, sessions: redis}, expose: {host: auth.example.org, public: true, auth: none, reason: login}}
      looks: {on: thalamus, service: blackbox-exporter}
      loki: {on: synapse}
      meter: {on: cortex, service: prometheus}
      models: {on: synapse, service: ollama}
      numbers: {on: synapse, service: prometheus}
      oldlogs: {on: thalamus, service: promtail}
      tunnel: {on: thalamus, service: cloudflared, settings: {tunnel: 00000000-0000-0000-0000-000000000000}}
      watchman: {on: cortex, service: dead-man}
    """


def texts(infra: Infra) -> dict[str, str]:
    """By service all that its container gets to read: its environment and its files."""
    found = {}
    for each in infra.services:
        names = FakeSecrets(dict.fromkeys(each.secrets.values(), b"a"))
        made = wanted(infra, each, names)
        files = (
            piece.content.decode() for piece in contents(infra, each, names, values=True).pieces
        )
        found[each.name] = "\n".join(
            [*map(str, made.entry.get("environment", {}).values()), *files]
        )
    return found


def test_an_ipv6_address_stands_in_brackets_before_a_port(tmp_path: Path) -> None:
    infra = estate(tmp_path, HERE_AND_THERE.replace("203.0.113.20", '"2001:db8::20"'))
    needed = own_context(infra, service(infra, "there"))["needs"]["store"]
    assert (needed["host"], needed["ports"]) == ("2001:db8::20", {"store": 7000})
    assert needed["addresses"] == {"store": "[2001:db8::20]:7000"}
    beside = own_context(infra, service(infra, "here"))["needs"]["store"]
    assert beside["addresses"] == {"store": "store:7000"}


def test_every_template_of_the_catalog_writes_an_ipv6_address_as_programs_read_it(
    tmp_path: Path,
) -> None:
    """All that needs, looks at or measures something of another host whose address is one."""
    written = texts(infra_of(tmp_path, textwrap.dedent(FAR)))
    apart = re.compile(r"(?<!\[)2001:db8::2[0-2]:[0-9]")
    wrong = [(name, found[0]) for name, text in written.items() if (found := apart.findall(text))]
    assert wrong == []
    expected = {
        "chat": ["http://[2001:db8::21]:11434"],
        "grafana": ["http://[2001:db8::21]:9090", "http://[2001:db8::21]:3100"],
        "login": ["tcp://[2001:db8::21]:5432", 'host: "[2001:db8::21]"'],
        "door": ["forward_auth [2001:db8::22]:9091 {", "http://[2001:db8::21]:9093"],
        "logs": ['"http://[2001:db8::21]:3100/loki/api/v1/push"'],
        "oldlogs": ["url: http://[2001:db8::21]:3100/loki/api/v1/push"],
        "meter": ['"[2001:db8::21]:9093"', '"[2001:db8::21]:3100"', '"[2001:db8::22]:9115"'],
        "alertmanager": ["http://[2001:db8::20]:9095/beat"],
        "tunnel": ["service: http://[2001:db8::20]:8081"],
    }
    missing = {name: [each for each in all_ if each not in written[name]] for name, all_ in expected.items()}  # fmt: skip
    assert missing == {name: [] for name in expected}
