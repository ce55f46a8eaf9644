"""Who may reach the ports of services on hosts: who needs them, and whom infra.yml names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from freehold.config.load import load
from freehold.model import Infra
from tests.unit.config.test_services import HEAD, estate, loaded, service

NAMED = """\
freehold: 1
name: test
domains:
  web: {subnet_id: 0, machines: {app: {}}}
hosts:
  cortex: {address: 203.0.113.20}
  synapse: {address: synapse.example.org, arch: arm64}
services:
"""


def told(infra: Infra, host: str) -> dict[tuple[str, int], Any]:
    """What the role `host_ports` is told of a host, by service and port."""
    found = infra.host(host)
    assert found is not None
    assert found.provision.roles[0] == "host_ports", "before Docker, and what it runs"
    ports = found.provision.vars["host_ports_services"]
    assert isinstance(ports, Sequence)
    return {(each["service"], each["port"]): each for each in ports}


def test_a_database_is_for_the_host_that_needs_it(tmp_path: Path) -> None:
    infra = estate(tmp_path, "  app: {on: synapse}\n  db: {on: cortex, service: postgresql}\n")
    assert service(infra, "db").reached_from == {"postgresql": ("203.0.113.21",)}
    assert told(infra, "cortex") == {
        ("db", 5432): {
            "service": "db",
            "port": 5432,
            "protocol": "tcp",
            "from": ["203.0.113.21"],
            "beside": False,
        }
    }
    assert told(infra, "synapse") == {}, "nothing of it is open"


def test_a_number_of_ones_own_opens_it_to_nobody_else(tmp_path: Path) -> None:
    text = (
        "  app: {on: synapse}\n  db: {on: cortex, service: postgresql, ports: {postgresql: 5433}}\n"
    )
    assert told(estate(tmp_path, text), "cortex")["db", 5433]["from"] == ["203.0.113.21"]


def test_a_host_with_a_name_is_known_by_it(tmp_path: Path) -> None:
    text = "  app: {on: synapse}\n  db: {on: cortex, service: postgresql}\n"
    infra = estate(tmp_path, text, head=NAMED)
    assert service(infra, "db").reached_from == {"postgresql": ("synapse.example.org",)}


def test_what_the_catalog_publishes_is_for_all_unless_infra_yml_says_for_whom(
    tmp_path: Path,
) -> None:
    text = "  caddy: {on: cortex, from: {http: [192.168.1.0/24, synapse]}}\n"
    assert service(estate(tmp_path, text), "caddy").reached_from == {
        "http": ("192.168.1.0/24", "203.0.113.21"),
        "https": ("all",),
        "http3": ("all",),
    }


def test_from_opens_a_port_that_nobody_needs(tmp_path: Path) -> None:
    text = "  redis: {on: cortex, from: {redis: [all]}}\n  loki: {on: cortex, from: {http: [198.51.100.7]}}\n"
    infra = estate(tmp_path, text)
    assert service(infra, "redis").published == {"redis": 6379}
    assert service(infra, "redis").reached_from == {"redis": ("all",)}
    assert service(infra, "loki").reached_from == {"http": ("198.51.100.7",)}


def test_from_adds_to_the_hosts_that_need_it(tmp_path: Path) -> None:
    text = "  app: {on: synapse}\n  db: {on: cortex, service: postgresql, from: {postgresql: [198.51.100.7]}}\n"
    sources = service(estate(tmp_path, text), "db").reached_from["postgresql"]
    assert sources == ("198.51.100.7", "203.0.113.21")


def test_on_a_machine_policies_say_who(tmp_path: Path) -> None:
    infra = estate(tmp_path, "  caddy: {on: web/app}\n")
    assert service(infra, "caddy").reached_from == {}
    app = infra.machine("web/app")
    assert app is not None
    assert "host_ports" not in app.provision.roles


def test_a_container_calls_its_computer_for_what_is_in_no_network(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "reader.yml").write_text(
        "title: Reader\ndescription: Reads\nversion: '1'\ncontainer: {image: registry.example.org/reader}\n"
        "needs: {meter: {service: node-exporter}}\n"
    )
    infra = estate(tmp_path, "  reader: {on: cortex}\n  node-exporter: {on: cortex}\n")
    (port,) = told(infra, "cortex").values()
    assert (port["port"], port["from"], port["beside"]) == (9100, [], True)


def test_who_has_the_network_of_the_computer_by_way_of_another_is_in_no_network_either(
    tmp_path: Path,
) -> None:
    """A container calls its computer for it; and it needs no door in the rules for what is on the computer itself."""
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    text = "title: X\ndescription: Does\nversion: '1'\ncontainer: {image: registry.example.org/x%s}\nports: {http: {number: %d}}\n%s"
    (catalog / "mesh.yml").write_text(text % (", host_network: true", 8888, ""))
    (catalog / "guest.yml").write_text(text % (", network_of: way", 8080, "needs: {way: {service: mesh}}\n"))  # fmt: skip
    (catalog / "reader.yml").write_text(text % ("", 8000, "needs: {source: {service: guest}}\n"))
    infra = estate(tmp_path, "  mesh: {on: cortex, from: {http: []}}\n  guest: {on: cortex, from: {http: []}}\n  reader: {on: cortex}\n")  # fmt: skip
    beside = {name: port["beside"] for (name, _), port in told(infra, "cortex").items()}
    assert beside == {"mesh": False, "guest": True}


def test_of_a_machine_somebody_must_say_where_its_packets_come_from(tmp_path: Path) -> None:
    text = "  app: {on: web/app}\n  db: {on: cortex, service: postgresql%s}\n"
    found = loaded(tmp_path, text % "", head=NAMED).diagnostics
    assert [each.code for each in found] == ["untold-source"]
    assert "from: {postgresql: [ADDRESS]}" in str(found[0].hint)
    infra = estate(tmp_path, text % ", from: {postgresql: [203.0.113.1]}", head=NAMED)
    assert service(infra, "db").reached_from == {"postgresql": ("203.0.113.1",)}


def test_a_warning_leaves_the_port_shut(tmp_path: Path) -> None:
    result = loaded(tmp_path, "  node-exporter: {on: cortex}\n")
    assert [each.code for each in result.diagnostics] == ["closed-port"]
    assert result.infra is not None
    assert told(result.infra, "cortex")["node-exporter", 9100]["from"] == []
    assert load(tmp_path).infra == result.infra


def test_no_rule_shuts_the_way_in_of_a_host_that_was_just_delivered(tmp_path: Path) -> None:
    head = HEAD.replace(
        "{address: 203.0.113.20}",
        "{address: 203.0.113.20, ssh: {port: 2222}, first: {user: debian}}",
    )
    text = "  redis: {on: cortex, ports: {redis: 22}, from: {redis: [%s]}}\n"
    found = loaded(tmp_path, text % "synapse", head=head).diagnostics
    assert [each.code for each in found] == ["port-taken"]
    assert "`first` enters `cortex` there" in str(found[0].detail)
    assert loaded(tmp_path, text % "all", head=head).diagnostics == (), "sshd will have left it"
