"""What the doctor says of the test's host, what is typed then, and what machines can do: the words of these tests."""

import socket
from dataclasses import dataclass
from pathlib import Path

from freehold.model import Infra
from freehold.operations.doctor import CHECKS, Finding, Result, Subject
from freehold.system.namespaces import enter_argv
from tests.firewall.coexistence.neighbours import Neighbours
from tests.firewall.wires import OUTSIDE, Namespace, Wires, listening

NETWORK_CHECKS = {
    "forwarding", "reverse path", "br_netfilter", "docker", "ufw", "firewalld", "other firewalls", "leftover tables",
}  # fmt: skip
BRIDGES = ("net-admin", "net-perso", "net-pro")


ALL = {"out", "within", "DHCP", "DNS"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Computer(Subject):
    """The test's network as if it were this computer's own; `holder` is a process in it."""

    holder: int

    def prefix(self) -> list[str]:
        return enter_argv(self.holder, [], "/")


def computer(neighbours: Neighbours, infra: Infra, folder: Path) -> Computer:
    """What the doctor looks at."""
    return Computer(
        socket=folder / "none", state=folder, root=folder, infra=infra, holder=neighbours.pid
    )


def commands(remedy: str | None) -> list[str]:
    """What a remedy says to type; Freehold's own verbs are tried elsewhere."""
    lines = (remedy or "").splitlines()
    found = [line.strip() for line in lines if line.startswith("    ")]
    return [command for command in found if not command.startswith("freehold ")]


def look(subject: Subject, name: str) -> Finding:
    return next(check for check in CHECKS if check.name == name).look(subject)


def warned(subject: Subject) -> set[str]:
    """The names of the checks of the network that find something."""
    found = {
        check.name: check.look(subject).result for check in CHECKS if check.name in NETWORK_CHECKS
    }
    assert found.keys() == NETWORK_CHECKS
    return {name for name, result in found.items() if result is not Result.OK}


def obey(neighbours: Neighbours, finding: Finding) -> list[str]:
    """Type what the remedy says."""
    said = commands(finding.remedy)
    assert said, finding
    for command in said:
        neighbours.type(command)
    return said


def passes(wires: Wires) -> set[str]:
    """What machines can do, by name."""
    desk, gateway = wires.at("perso/desk"), "10.100.1.1"
    ways = {
        "out": connects(desk, wires.outside, OUTSIDE),
        "within": reaches(wires, "perso/desk", "perso/tv"),
        "DHCP": asks(desk, wires.host, gateway, 67),
        "DNS": asks(desk, wires.host, gateway, 53),
    }
    return {name for name, passed in ways.items() if passed}


def bridge(estate: str) -> dict[str, object]:
    config = {"user.freehold.estate": estate}
    return {"name": "net-x", "type": "bridge", "managed": True, "config": config}


def connects(source: Namespace, target: Namespace, address: str, port: int = 80) -> bool:
    """Whether a TCP connection to a server of the target is made."""
    with target.socket(socket.SOCK_STREAM) as server, source.socket(socket.SOCK_STREAM) as made:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("0.0.0.0", port))
        server.listen()
        return made.connect_ex((address, port)) == 0


def reaches(wires: Wires, source: str, target: str) -> bool:
    """The same between machines, by their names."""
    return connects(wires.at(source), wires.at(target), wires.address(target))


def asks(source: Namespace, target: Namespace, address: str, port: int) -> bool:
    """Whether a UDP datagram gets to a server of the target."""
    with listening(target, port) as server, source.socket(socket.SOCK_DGRAM) as made:
        made.sendto(b"?", (address, port))
        try:
            return server.recv(1) == b"?"
        except TimeoutError:
            return False
