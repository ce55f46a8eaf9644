"""Networks to measure in: a host with two bridges and a machine on each, all in network namespaces of this process.

`enter_own_network` comes first. Whatever is made afterwards has no way to the computer's own network, and is gone when
the process ends, however that happens. Used by benchmarks/firewall.py.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from freehold.model import Domain
from freehold.system import namespaces

_SENDERS = str(Path(__file__).with_name("senders.py"))
_NAMES = Path("/run/netns")


def enter_own_network() -> None:
    """Move this process into network and mount namespaces of its own. Raises OSError without root."""
    namespaces.unshare(namespaces.CLONE_NEWNET | namespaces.CLONE_NEWNS)
    namespaces.privatise_mounts()
    _NAMES.mkdir(exist_ok=True)
    namespaces.mount("none", str(_NAMES), "tmpfs")


@dataclass(frozen=True, slots=True)
class Seat:
    """Where one machine is: its domain and its address."""

    domain: Domain
    address: IPv4Address


class Room:
    """A host of its own; the machine `near` asks, the machine `far` answers."""

    def __init__(self, name: str, near: Seat, far: Seat) -> None:
        self.prefix = _inside(name)
        _ip(_host(name))
        _ip(_machine(name, f"{name}-near", near))
        _ip(_machine(name, f"{name}-far", far))
        self._forward()
        self._answering = _start(f"{name}-far", "answer")
        _line(self._answering, "the listener")
        self._asking = _start(f"{name}-near", "ask", str(far.address))

    def measure(self, way: str, seconds: float) -> float:
        """What the sender says (`senders.py`)."""
        assert self._asking.stdin is not None
        self._asking.stdin.write(f"{way} {seconds}\n")
        self._asking.stdin.flush()
        return float(_line(self._asking, f"the sender ({way})"))

    def text(self, rules: str) -> None:
        """Load rules written for nft(8)."""
        argv = [*self.prefix, "nft", "--file", "-"]
        done = subprocess.run(argv, input=rules, text=True, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(f"nft refuses the rules:\n{done.stderr[:500]}")

    def close(self) -> None:
        """End the two machines' processes; their networks stay until this process ends, and cost nothing."""
        for process in (self._asking, self._answering):
            process.kill()
            process.communicate()

    def _forward(self) -> None:
        """Pass packets on; those inside of a bridge stay out of the rules, as on a host without br_netfilter."""
        script = (
            "echo 1 > /proc/sys/net/ipv4/ip_forward; "
            "bridged=/proc/sys/net/bridge/bridge-nf-call-iptables; [ ! -e $bridged ] || echo 0 > $bridged"
        )
        subprocess.run([*self.prefix, "sh", "-ec", script], check=True)


def _host(name: str) -> Iterator[str]:
    yield f"netns add {name}"
    yield f"-netns {name} link set lo up"


def _machine(host: str, machine: str, seat: Seat) -> Iterator[str]:
    bridge, port = seat.domain.bridge, f"to-{seat.domain.name}"
    yield f"netns add {machine}"
    yield f"-netns {host} link add {bridge} type bridge"
    yield f"-netns {host} address add {seat.domain.gateway}/24 dev {bridge}"
    yield f"-netns {host} link set {bridge} up"
    yield f"-netns {host} link add {port} type veth peer name eth0 netns {machine}"
    yield f"-netns {host} link set {port} master {bridge} up"
    yield f"-netns {machine} link set lo up"
    yield f"-netns {machine} address add {seat.address}/24 dev eth0"
    yield f"-netns {machine} link set eth0 up"
    yield f"-netns {machine} route add default via {seat.domain.gateway}"


def _ip(lines: Iterator[str]) -> None:
    for line in lines:
        subprocess.run(["ip", *line.split()], check=True)


def _inside(name: str) -> tuple[str, ...]:
    return ("nsenter", f"--net={_NAMES / name}", "--")


def _start(where: str, *words: str) -> subprocess.Popen[str]:
    argv = [*_inside(where), sys.executable, "-I", _SENDERS, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        argv, stdin=pipe, stdout=pipe, text=True, preexec_fn=namespaces.die_with_parent
    )


def _line(process: subprocess.Popen[str], who: str) -> str:
    assert process.stdout is not None
    if line := process.stdout.readline():
        return line
    raise SystemExit(f"{who} has ended without an answer")
