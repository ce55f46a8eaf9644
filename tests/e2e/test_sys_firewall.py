"""`network.firewall: machine`: all traffic between domains goes through a container, shown by packets in a lab.

All the while somebody sends what may never pass; not one of those packets may arrive.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import pytest

from freehold.operations.lab.record import read_holder
from freehold.system.namespaces import enter_argv
from tests.e2e.estate import Estate, created, told

pytestmark = pytest.mark.lab

ON_THE_HOST = "network: {firewall: host}"
BY_A_MACHINE = "network: {firewall: machine, firewall_machine: {type: container}}"
COTTAGE = f"""
    freehold: 1
    name: cottage
    {BY_A_MACHINE}
    domains:
      home: {{subnet_id: 11, trust: admin, machines: {{desk: {{ip: 10.100.11.10}}}}}}
      lodge: {{subnet_id: 12, machines: {{till: {{ip: 10.100.12.10}}}}}}
      mill: {{subnet_id: 13, machines: {{wheel: {{ip: 10.100.13.10}}}}}}
    policies:
      - {{from: lodge, to: mill, ports: [8080]}}
      - {{from: lodge, to: mill, protocol: icmp}}
    """
MACHINE = ("--project", "home", "home-sys-firewall")
NEW = ("bridge:host", "instance:home/sys-firewall", "router:host")
ENDS = ("10.100.12.10", "10.100.13.10")  # lodge and mill
FORBIDDEN = 9000  # a port of mill that no policy opens
BACK = 10.0  # seconds within which a killed machine is at work again

_SERVE = """
import socket, threading
listener = socket.create_server(("", 8080))
def answer():
    while True:
        listener.accept()[0].close()
threading.Thread(target=answer, daemon=True).start()
heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
heard.bind(("", 9000))
while True:
    text = heard.recv(100)
    with open("/run/heard", "ab") as file:
        file.write(text + b"\\n")
"""
_SEND = """
import socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        sender.sendto(b"lodge", ("10.100.13.10", 9000))
    except OSError:
        pass
    time.sleep(0.002)
"""
_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()
    print("open")
except OSError:
    print("closed")
"""
_TELL = """
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"home", ("10.100.13.10", 9000))
"""
_TIMES = """
import socket, time
for _ in range(200):
    start = time.perf_counter()
    socket.create_connection(("10.100.13.10", 8080), 2).close()
    print((time.perf_counter() - start) * 1000)
"""


def python(estate: Estate, domain: str, machine: str, program: str, *words: str) -> str:
    """What a program prints in a machine."""
    return estate.inside(f"{domain}/{machine}", "python3", "-c", program, *words)


def in_lab(estate: Estate, *argv: str) -> str:
    """What a program of the host prints."""
    holder = read_holder(estate.lab._place)
    assert holder is not None
    done = subprocess.run(
        enter_argv(holder[0].pid, argv, "/"), capture_output=True, text=True, check=False
    )
    return done.stdout


def passes(estate: Estate, port: int = 8080, seconds: str = "1") -> bool:
    """Whether lodge gets through to mill."""
    return "open" in python(estate, "lodge", "till", _CONNECT, "10.100.13.10", str(port), seconds)


def milliseconds(estate: Estate) -> float:
    """For a connection from lodge to mill."""
    return median(map(float, python(estate, "lodge", "till", _TIMES).split()))


@contextmanager
def nobody_else_gets_through(estate: Estate) -> Iterator[None]:
    """Mill listens and lodge sends to a closed port, some hundred times a second, until the end."""
    for domain, machine, program in (("mill", "wheel", _SERVE), ("lodge", "till", _SEND)):
        run = ("systemd-run", "--quiet", "--unit=test-traffic", "python3", "-c", program)
        estate.inside(f"{domain}/{machine}", *run)
    until = time.monotonic() + 60
    while "home" not in heard(estate) and time.monotonic() < until:
        python(estate, "home", "desk", _TELL)
    assert "home" in heard(estate)  # who may gets through, so silence means something
    yield
    assert "lodge" not in heard(estate)


def heard(estate: Estate) -> str:
    return estate.inside("mill/wheel", "sh", "-c", "cat /run/heard 2>/dev/null; true")


def nothing_is_left(estate: Estate) -> None:
    """Of the machine, of the bridge to it, of the routing and of what keeps it."""
    assert "7400" not in in_lab(estate, "ip", "rule")
    assert in_lab(estate, "ip", "route", "show", "table", "7400") == ""
    assert "fw-cottage" not in in_lab(estate, "ip", "link")
    assert "sys-firewall" not in estate.incus("list", "--all-projects", "-c", "n")
    assert "keeper.py" not in in_lab(estate, "ps", "-e", "-o", "args")
    assert list(estate.lab._place.firewall.glob("*.way*")) == []


@pytest.fixture
def cottage(estate: Estate) -> Iterator[Estate]:
    """Gone at the end, with all that belongs to the mode."""
    estate.write(COTTAGE)
    yield estate
    confirm = [
        f"--confirm={name}"
        for name in ("home/desk", "home/sys-firewall", "lodge/till", "mill/wheel")
    ]
    estate.ok("destroy", "--yes", *confirm)
    nothing_is_left(estate)
    assert "freehold-cottage" not in in_lab(estate, "nft", "list", "tables")


@pytest.mark.slow
def test_switching_both_ways_lets_nobody_through_for_a_moment(cottage: Estate) -> None:
    cottage.edit(BY_A_MACHINE, ON_THE_HOST)
    cottage.ok("apply", "--yes")
    with nobody_else_gets_through(cottage):
        assert passes(cottage)
        on_the_host = milliseconds(cottage)

        cottage.edit(ON_THE_HOST, BY_A_MACHINE)
        plan = told(cottage.plan())
        assert set(plan) == {"firewall:host", *NEW}
        assert {name: plan[name] for name in NEW} == created(*NEW)
        cottage.ok("apply", "--yes")
        cottage.settled()
        assert passes(cottage)
        assert not passes(cottage, port=22)
        assert counted(cottage, "@domain_to_domain") > 0
        assert (*ENDS, "udp", FORBIDDEN) in dropped(cottage)
        by_a_machine = milliseconds(cottage)
        told_apart = f"a connection: {on_the_host:.3f} ms, by the machine {by_a_machine:.3f} ms"
        sys.stderr.write(told_apart + "\n")
        assert by_a_machine - on_the_host < 1.0, told_apart

        cottage.edit(BY_A_MACHINE, ON_THE_HOST)
        cottage.ok("apply", "--yes", "--prune", "--confirm", "home/sys-firewall")
        cottage.settled()
        assert passes(cottage)
        nothing_is_left(cottage)


def counted(estate: Estate, rule: str) -> int:
    """Packets that a rule inside the machine let through."""
    table = estate.incus("exec", *MACHINE, "--", "nft", "list", "table", "inet", "freehold-cottage")
    return sum(int(n) for n in re.findall(rf"{rule} counter packets (\d+)", table))


def dropped(estate: Estate) -> list[tuple[str, str, str, int]]:
    """What `freehold firewall` tells that the machine dropped."""
    document = estate.ok("firewall", "--json").document
    assert document["machine"] == "home/sys-firewall"
    return [(d["source"], d["target"], d["protocol"], d["port"]) for d in document["latest"]]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("stopped", marks=pytest.mark.slow),
        "killed",
        pytest.param("silent", marks=pytest.mark.slow),
    ],
)
def test_without_the_machine_domains_are_closed_and_it_comes_back(
    cottage: Estate, how: str
) -> None:
    cottage.ok("apply", "--yes")
    with nobody_else_gets_through(cottage):
        assert passes(cottage)
        if how == "stopped":
            cottage.incus("stop", "--force", *MACHINE)
        elif how == "silent":
            cottage.incus("exec", *MACHINE, "--", "ip", "link", "set", "transfer", "down")
        else:
            pid = cottage.get("/instances/home-sys-firewall/state?project=home")["pid"]
            in_lab(cottage, "kill", "-9", str(pid))
        ended = time.monotonic()
        while passes(cottage, seconds="0.3"):
            assert time.monotonic() - ended < 10  # the kernel clears up after it
        while not passes(cottage, seconds="0.3"):
            assert time.monotonic() - ended < (45 if how == "silent" else BACK)
        assert not passes(cottage, port=22)
        cottage.settled()
    cottage.ok("verify", "--traffic")  # admin's way and back too


@pytest.mark.slow
def test_what_is_changed_by_hand_is_told_and_healed(cottage: Estate) -> None:
    cottage.ok("apply", "--yes")
    inside = ("exec", *MACHINE, "--", "nft")
    with nobody_else_gets_through(cottage):
        cottage.incus(*inside, "flush", "ruleset")
        assert not passes(cottage, seconds="0.3")
        assert told(cottage.plan()) == {"router:host": ("update", "live", ("rules",))}
        assert cottage.freehold("verify").code == 2
        cottage.ok("apply", "--yes")
        cottage.settled()
        assert passes(cottage)

        in_lab(cottage, "ip", "route", "flush", "table", "7400")
        until = time.monotonic() + BACK
        while in_lab(cottage, "ip", "route", "show", "table", "7400").count("\n") < 2:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert passes(cottage)

    cottage.incus(*inside, "insert", "rule", "inet", "freehold-cottage", "deciding", "accept")
    assert "changed by hand: chain deciding" in cottage.freehold("plan").out
    cottage.ok("apply", "--yes")
    cottage.settled()


@pytest.mark.slow
def test_a_policy_and_an_image_are_changed_by_one_apply(cottage: Estate) -> None:
    cottage.ok("apply", "--yes")
    with nobody_else_gets_through(cottage):
        cottage.edit("ports: [8080]", "ports: [8081]")
        fields = ("open.lodge to mill",)
        assert told(cottage.plan()) == {"router:host": ("update", "live", fields)}
        cottage.ok("apply", "--yes")
        cottage.settled()
        assert not passes(cottage)

        cottage.edit("ports: [8081]", "ports: [8080]")
        cottage.edit("{type: container}", "{type: container, image: test/other}")
        cottage.ok("apply", "--yes", "--confirm", "home/sys-firewall")
        cottage.settled()
        assert passes(cottage)
