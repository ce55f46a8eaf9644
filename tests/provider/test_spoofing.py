"""What a machine may put on its bridge, tried with packets.

A machine sends frames that it must not send, and honest ones among them; its neighbour and the gateway say which they
heard. Only a real Incus has a wire.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from freehold.model.names import hardware_address
from freehold.operations.lab import Lab
from tests.provider.estate import Server, change_of, summary

NEIGHBOURS = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        machines:
          one: {ip: 10.100.7.10}
          two: {ip: 10.100.7.11}
    """
FILTERS = [f"security.{what}_filtering" for what in ("ipv4", "mac")]
# IPv6 of its own stays inside the domain: the host has none on its bridges, and nothing forwards it.
TRUTHS = {"IPv6"}
LIES = {
    "another MAC address",
    "the neighbour's address",
    "the gateway's address",
    "ARP for the neighbour's address",
    "IPv6 from another MAC address",
    "neither IP nor ARP",
}
SPEAKER = (Path(__file__).parent / "spoofing" / "speaker.py").read_text(encoding="utf-8")
LISTENER = (Path(__file__).parent / "spoofing" / "listener.py").read_text(encoding="utf-8")
DNS_QUERY = """\
import socket
query = bytes.fromhex("123401000001000000000000076c61622d74776f05696e63757300") + bytes([0, 1, 0, 1])  # lab-two.incus
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(5)
    sock.sendto(query, ("10.100.7.1", 53))
    print(socket.inet_ntoa(sock.recv(512)[-4:]))
"""


def on_a_wire(test: Callable[..., None]) -> Callable[..., None]:
    """A test that needs packets: only on a real Incus."""
    real: Callable[..., None] = pytest.mark.parametrize("server", ["real"], indirect=True)(test)
    marked: Callable[..., None] = pytest.mark.lab(real)
    return marked


def heard(server: Server, lab: Lab) -> Mapping[str, set[str]]:
    """What of `one`'s frames the neighbour and the gateway hear; the honest ones always, else nothing was measured."""
    at_the_gateway = server.folder / "heard"
    into = ["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", str(at_the_gateway)]
    listen = [*into, "python3", "-c", LISTENER, "net-lab"]
    mac = hardware_address("test-estate", "lab-one")

    async def measure() -> str:
        gateway = asyncio.create_task(asyncio.to_thread(lab.run, listen))
        neighbour = asyncio.create_task(execute(server, "two", LISTENER, "eth0"))
        told = await execute(server, "one", SPEAKER, mac)
        assert told == "", told
        assert await gateway == 0
        return await neighbour

    says = {
        "neighbour": set(json.loads(server.wait(measure()))),
        "gateway": set(json.loads(at_the_gateway.read_text())),
    }
    assert all("honest" in frames for frames in says.values()), says
    return {who: frames - {"honest", *TRUTHS} for who, frames in says.items()}


async def execute(server: Server, machine: str, program: str, *arguments: str) -> str:
    """Run a Python program in a machine; what it prints, or what went wrong."""
    command = ["python3", "-c", program, *arguments]
    result = await server.incus.incus.execute("lab", f"lab-{machine}", command)
    return result.stdout if result.exit_code == 0 else f"exit {result.exit_code}: {result.stderr}"


def pid(server: Server, machine: str) -> Any:
    return server.wait(server.incus.get(f"/instances/lab-{machine}/state", project="lab"))["pid"]


def unfilter(server: Server) -> None:
    """As an estate of an earlier version is, or one that somebody changed by hand."""
    for kind, name in (("profiles", "default"), ("instances", "lab-one"), ("instances", "lab-two")):
        path = f"/{kind}/{name}"
        current = server.wait(server.incus.get(path, project="lab"))
        nic = {k: v for k, v in current["devices"]["eth0"].items() if k not in FILTERS}
        devices = {**current["devices"], "eth0": nic}
        server.by_hand("PATCH", path, {"devices": devices}, "lab")


@pytest.mark.slow
@on_a_wire
def test_a_machine_speaks_for_itself_only(server: Server, real_lab: Lab) -> None:
    server.apply(NEIGHBOURS)
    assert heard(server, real_lab) == {"neighbour": set(), "gateway": set()}


@on_a_wire
def test_what_machines_need_works(server: Server) -> None:
    server.apply(NEIGHBOURS)
    assert server.addresses("lab", "lab-one") == ["10.100.7.10"]  # by DHCP
    assert server.wait(execute(server, "one", DNS_QUERY)).strip() == "10.100.7.11"
    for target in ("10.100.7.11", "10.100.7.1"):
        ping = ["ping", "-c1", "-W5", target]
        assert server.wait(server.incus.incus.execute("lab", "lab-one", ping)).exit_code == 0


@on_a_wire
def test_missing_filters_are_drift_and_come_back_at_once(server: Server, real_lab: Lab) -> None:
    server.apply(NEIGHBOURS)
    unfilter(server)
    before = pid(server, "one"), pid(server, "two")
    free = heard(server, real_lab)
    assert free["neighbour"] == LIES
    # The bridge itself has no IPv6, but what it is sent reaches it.
    assert free["gateway"] == LIES

    plan = server.plan(NEIGHBOURS)
    assert summary(plan) == {
        "profile:lab/default": "update",
        "instance:lab/one": "update",
        "instance:lab/two": "update",
    }
    change = change_of(plan, "instance:lab/one")
    assert change.impact == "live"
    assert [field.path for field in change.fields] == [f"devices.eth0.{key}" for key in FILTERS]

    server.apply(NEIGHBOURS)
    assert heard(server, real_lab) == {"neighbour": set(), "gateway": set()}
    assert (pid(server, "one"), pid(server, "two")) == before
    assert server.plan(NEIGHBOURS).is_empty


@pytest.mark.slow
@on_a_wire
def test_an_instance_of_unknown_make_is_filtered_too(server: Server, real_lab: Lab) -> None:
    server.apply(NEIGHBOURS.replace("one: {ip: 10.100.7.10}", ""))
    body = {
        "name": "lab-one",
        "source": {"type": "image", "alias": "debian/13"},
        "config": {"volatile.eth0.hwaddr": hardware_address("test-estate", "lab-one")},
        "start": True,
    }
    server.by_hand("POST", "/instances", body, "lab")
    ready = ["sh", "-c", "until ip -4 -o addr show eth0 | grep -q 10.100.7; do sleep 0.1; done"]
    assert server.wait(server.incus.incus.execute("lab", "lab-one", ready)).exit_code == 0
    assert heard(server, real_lab) == {"neighbour": set(), "gateway": set()}


@pytest.mark.slow
@on_a_wire
def test_machines_start_on_a_host_without_bridge_netfilter(server: Server, real_lab: Lab) -> None:
    """As an ordinary Debian is; `security.ipv6_filtering` would not let any machine start there."""
    switches = "/proc/sys/net/bridge/bridge-nf-call-"
    turn = 'for s in "$1"*; do echo "$2" > "$s"; done'
    assert real_lab.run(["sh", "-c", turn, "sh", switches, "0"]) == 0
    try:
        server.apply(NEIGHBOURS)
        assert heard(server, real_lab) == {"neighbour": set(), "gateway": set()}
    finally:
        assert real_lab.run(["sh", "-c", turn, "sh", switches, "1"]) == 0
