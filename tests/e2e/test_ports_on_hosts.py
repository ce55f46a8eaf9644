"""Who reaches the ports of services on hosts, by real packets: who needs them, and no stranger; by IPv4 and IPv6, after restarts, with UFW.

`cortex` has a database and a meter on its own network, `synapse` a site that needs the one and a reader of the other; `nomad`, which has
a name for an address, may read too; `mirage` is the stranger. The tests stand in the order in which they happen to the same estate.
"""

import shutil
from collections.abc import Iterator

import pytest

from freehold.operations.lab.debian import DOCKER_HOST
from freehold.operations.lab.images import ensure_image
from tests.compose.estate import CATALOG
from tests.compose.real import IMAGES, LOAD
from tests.e2e.estate import told
from tests.e2e.test_services_on_hosts import Pair
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(2400)]

THREE = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
      mirage: {address: 203.0.113.22}
      nomad: {address: nomad.example.org}
    services:
      db: {on: cortex, service: keeper, ports: {keep: 7700}}
      meter: {on: cortex, from: {metrics: [nomad]}}
      near: {on: cortex, service: reader}
      far: {on: synapse, service: reader}
      site: {on: synapse, service: web, ports: {http: 80}}
    """
CORTEX, SYNAPSE = "203.0.113.20", "203.0.113.21"
METER = """\
title: Meter
description: Measures the computer
version: "1"
container:
  image: registry.example.org/keeper
  command: [python3, -m, http.server, --directory, /usr/lib, "{{ ports.metrics }}"]
  host_network: true
  stop: 1s
ports:
  metrics: {number: 9100, network: monitoring}
health:
  command: [python3, -c, "import socket; socket.create_connection(('127.0.0.1', {{ ports.metrics }}), 1)"]
  start: 30s
"""
READER = """\
title: Reader
description: Reads the meter, and is well as long as it can
version: "1"
container:
  image: registry.example.org/keeper
  command: [sleep, infinity]
  stop: 1s
ports:
  idle: {number: 9999, network: monitoring}
needs:
  meter: {service: meter}
health:
  command: [python3, -c, "import socket; socket.create_connection(('{{ needs.meter.host }}', {{ needs.meter.ports.metrics }}), 2)"]
  interval: 2s
  start: 30s
"""
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
    print("in")
except TimeoutError:
    print("dropped")
except OSError as error:
    print(error)
"""
TABLE = "freehold_ports_maison"


class Three(Pair):
    """Hosts with Docker from the start."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"FREEHOLD_LAB_HOST_IMAGE": DOCKER_HOST}

    def knock(self, source: str, address: str, port: int) -> str:
        """What becomes of a connection from a host."""
        return self.on(source, "python3", "-c", KNOCK, address, str(port)).strip()

    def link_local(self, host: str) -> str:
        """Its IPv6 address on the bridge, as its neighbours write it."""
        shown = self.on(host, "ip", "-6", "-o", "address", "show", "dev", "eth0", "scope", "link")
        return shown.split()[3].partition("/")[0] + "%eth0"

    def applied(self) -> None:
        done = self.patient("apply", "--yes")
        assert done.code == 0, done

    def kept(self) -> None:
        """Who needs a port gets in, the stranger does not, and what is published is for all."""
        assert self.knock("synapse", CORTEX, 7700) == "in"
        assert self.knock("mirage", CORTEX, 7700) == "dropped"
        assert self.knock("synapse", CORTEX, 9100) == "in"
        assert self.knock("mirage", CORTEX, 9100) == "dropped"
        assert self.knock("nomad", CORTEX, 9100) == "in"
        assert self.knock("nomad", CORTEX, 7700) == "dropped"
        assert self.knock("cortex", CORTEX, 7700) == self.knock("cortex", "127.0.0.1", 9100) == "in"
        assert self.knock("mirage", SYNAPSE, 80) == "in"
        assert "a page" in self.page()


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    """All services run; the images are brought by hand, after an apply that misses them."""
    with throwaway_lab(egress=True) as lab:
        ensure_image(lab, DOCKER_HOST, lambda text: None)
        folder = tmp_path_factory.mktemp("three") / "estate"
        shutil.copytree(CATALOG, folder / "catalog")
        (folder / "catalog" / "meter.yml").write_text(METER)
        (folder / "catalog" / "reader.yml").write_text(READER)
        three = Three(folder, lab)
        three.write(THREE)
        first = three.patient("apply", "--yes")
        assert first.code == 4, first
        for host in ("cortex", "synapse"):
            three.on(host, "sh", "-c", LOAD, "load", *IMAGES)
        three.applied()
        yield three


def test_who_needs_a_port_gets_in_and_nobody_else(three: Three) -> None:
    three.kept()
    assert "Nothing to do: everything is as infra.yml says." in three.ok("apply", "--yes").out
    three.settled()


def test_by_ipv6_too(three: Three) -> None:
    """The proxies of Docker listen there, and the meter."""
    cortex, synapse = three.link_local("cortex"), three.link_local("synapse")
    assert three.knock("mirage", synapse, 80) == "in"
    assert three.knock("mirage", cortex, 7700) == "dropped"
    assert three.knock("mirage", cortex, 9100) == "dropped"


def test_a_neighbour_who_sends_to_the_containers_own_address_is_kept_out(three: Three) -> None:
    """It is the rules that keep him out: without them he gets in, and so he does at the port."""
    shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    container = three.on("cortex", "docker", "inspect", "--format", shown, "maison-db-1").strip()
    three.on("mirage", "ip", "route", "replace", container, "via", CORTEX)
    assert three.knock("mirage", container, 7000) == "dropped"
    three.on("cortex", "nft", "delete", "table", "inet", TABLE)
    assert three.knock("mirage", container, 7000) == "in"
    assert three.knock("mirage", CORTEX, 7700) == "in"
    assert three.freehold("verify", "--deep").code == 2
    _, _, fields = told(three.plan())["provision:cortex"]
    assert set(fields) == {"ports"}
    three.applied()
    assert three.knock("mirage", container, 7000) == "dropped"
    three.kept()


def test_the_rules_outlive_restarts_of_docker_and_of_the_host(three: Three) -> None:
    """Docker's start loads them, and whatever flushes those of the computer; no stop of theirs stops Docker."""
    for verb in ("restart", "reload", "stop"):
        three.on("cortex", "systemctl", verb, "nftables")
        assert three.knock("mirage", CORTEX, 7700) == "dropped", verb
    three.on("cortex", "nft", "delete", "table", "inet", TABLE)
    three.on("cortex", "systemctl", "restart", "docker")
    three.kept()
    three.incus("restart", "--project", "hosts.maison", "cortex")
    three.applied()
    three.kept()
    begun = three.on(
        "cortex", "systemctl", "show", "--value", "--property=ExecMainStartTimestampMonotonic",
        "freehold-ports-maison.service", "docker.service",
    )  # fmt: skip
    rules, docker = map(int, begun.split())
    assert 0 < rules < docker


def test_infra_yml_says_who_else(three: Three) -> None:
    three.edit("ports: {keep: 7700}", "ports: {keep: 7700}, from: {keep: [mirage]}")
    three.edit("ports: {http: 80}", "ports: {http: 80}, from: {http: [203.0.113.20/32]}")
    assert told(three.plan()).keys() >= {"provision:cortex", "provision:synapse"}
    three.applied()
    assert three.knock("mirage", CORTEX, 7700) == three.knock("synapse", CORTEX, 7700) == "in"
    assert three.knock("mirage", SYNAPSE, 80) == "dropped"
    assert three.knock("cortex", SYNAPSE, 80) == "in"
    three.edit(", from: {keep: [mirage]}", "")
    three.edit(", from: {http: [203.0.113.20/32]}", "")
    three.applied()
    three.kept()


def test_a_firewall_that_lets_nothing_in_lets_these_in(three: Three) -> None:
    """UFW by `host_access`: the meter's port is for the reader elsewhere and for the one beside it."""
    three.edit("{address: 203.0.113.20}", "{address: 203.0.113.20, provision: {roles: [host_access]}}")  # fmt: skip
    three.applied()
    rules = three.on("cortex", "ufw", "status", "verbose")
    assert "deny (incoming)" in rules
    three.kept()
    states = three.on("cortex", "docker", "ps", "--format", "{{.Names}} {{.Status}}")
    assert all("healthy" in line and "unhealthy" not in line for line in states.splitlines())
    three.settled()


def test_what_leaves_infra_yml_and_still_runs_stays_shut(three: Three) -> None:
    three.edit("  db: {on: cortex, service: keeper, ports: {keep: 7700}}\n", "")
    three.edit("  site: {on: synapse, service: web, ports: {http: 80}}\n", "")
    three.applied()
    assert "maison-db-1" in three.on("cortex", "docker", "ps", "--format", "{{.Names}}")
    assert three.knock("mirage", CORTEX, 7700) == "dropped"
    assert three.knock("synapse", CORTEX, 7700) == "in"
