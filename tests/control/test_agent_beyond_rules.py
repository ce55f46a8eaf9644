"""What else of the host a control machine may have changed: Docker's chain and the routing, of its own estate alone."""

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freehold.providers.firewall.handover import MARK
from freehold.system.host_agent.filters import AgentDocker
from freehold.system.host_agent.messages import HostRefused
from freehold.system.host_agent.routing import AgentRouting
from freehold.system.routing import Way
from tests.control.conftest import TABLE, Host, wait

pytestmark = pytest.mark.lab

DOCKER = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -s 192.0.2.7/32 -j DROP
COMMIT
"""
WAY = Way(
    base="10.100.0.0/16", bridge="fw-cottage", router="10.100.255.2", mark=MARK,
    project="admin", instance="admin-sys-firewall", notes={"zones": {}},
)  # fmt: skip


class Instances(http.server.BaseHTTPRequestHandler):
    """As much of Incus as is asked: whose machines these are."""

    def do_GET(self) -> None:
        owners = {
            "/1.0/instances/admin-sys-firewall?project=admin": "cottage",
            "/1.0/instances/other-sys-firewall?project=other": "mill",
        }
        owner = owners.get(self.path)
        body = {"metadata": {"config": {"user.freehold.estate": owner}}} if owner else {}
        self.send_response(200 if owner else 404)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the library
        return

    def address_string(self) -> str:
        return "a unix socket"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def incus(tmp_path: Path) -> Iterator[Path]:
    server = UnixServer(str(tmp_path / "incus.s"), Instances)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield tmp_path / "incus.s"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def routed(host: Host, incus: Path) -> Host:
    """With the bridge to the machine between domains."""
    host.namespace.batch(
        "link add fw-cottage type bridge",
        "link set fw-cottage up",
        "addr add 10.100.255.1/24 dev fw-cottage",
    )
    return host


def test_dockers_chain_lets_the_estates_bridges_pass_and_no_others(host: Host) -> None:
    host.namespace.run("iptables-nft-restore", given=DOCKER)
    chain = AgentDocker(host.client)
    chain.write("cottage", ["net-pro", "net-home"])
    [side] = [side for side in chain.read() or () if side.table.family == "ip"]
    assert (side.drops, side.table.program) == (True, "iptables-nft")
    assert len(side.ours("cottage")) == 8
    assert side.rules[0] == "-s 192.0.2.7/32 -j DROP"

    for estate, bridges in (
        ("cottage", ["docker0"]),
        ("cottage", ["eth0"]),
        ("mill", ["net-mill"]),
    ):
        with pytest.raises(HostRefused):
            chain.write(estate, bridges)
    assert chain.read() == (side, *(chain.read() or ())[1:])

    chain.write("cottage", [])
    saved = host.namespace.run("iptables-nft-save", "-t", "filter")
    assert "freehold" not in saved
    assert "-A DOCKER-USER -s 192.0.2.7/32 -j DROP" in saved


def test_without_docker_there_is_no_chain(host: Host) -> None:
    assert AgentDocker(host.client).read() is None


def test_the_way_to_the_estates_own_firewall_machine_is_kept(routed: Host) -> None:
    routing = AgentRouting(routed.client)
    assert wait(routing.way(TABLE)) is None
    wait(routing.keep(TABLE, WAY))
    assert wait(routing.way(TABLE)) == WAY
    assert "10.100.0.0/16 via 10.100.255.2" in routed.namespace.run(
        "ip", "route", "show", "table", "7400"
    )
    assert [fault for fault in wait(routing.faults(TABLE)) if "nobody" not in fault] == []
    wait(routing.forget(TABLE))
    assert wait(routing.way(TABLE)) is None
    assert "7400" not in routed.namespace.run("ip", "rule", "show")


@pytest.mark.parametrize(
    "changed",
    [
        {"base": "0.0.0.0/0"},
        {"bridge": "eth0"},
        {"router": "192.0.2.1"},
        {"mark": 1},
        {"project": "other", "instance": "other-sys-firewall"},
        {"project": "admin", "instance": "admin-desk"},
        {"project": "admin", "instance": "admin-sys-firewall/../../x"},
        {"project": "admin&x=y", "instance": "admin&x=y-sys-firewall"},
        {"project": "nowhere", "instance": "nowhere-sys-firewall"},
    ],
)
def test_no_other_way_is_set(changed: dict[str, Any], routed: Host) -> None:
    before = routed.namespace.run("ip", "rule", "show")
    with pytest.raises(HostRefused):
        wait(AgentRouting(routed.client).keep(TABLE, replace(WAY, **changed)))
    assert routed.namespace.run("ip", "rule", "show") == before
    assert not list(routed.folder.glob("*.way"))
