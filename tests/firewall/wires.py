"""A host of network namespaces: bridges as Incus makes them, machines behind them, an outside; for real packets.

Sockets are made inside a namespace and used from the test itself. All of it ends with the process that holds it.
"""

import contextlib
import ctypes
import errno
import os
import selectors
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from freehold.model import Infra
from freehold.system.namespaces import CLONE_NEWNET

OUTSIDE = "203.0.113.9"
HOST_OUTSIDE = "203.0.113.1"
SILENCE = 0.5  # seconds; on wires of this kind an answer takes a thousandth of it
Try = tuple[str, str, str, int]
"""From where, to which name or address, protocol, port."""

_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network of its own, held by a process that sleeps."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--kill-child", "--fork", "sleep", "infinity"],
            start_new_session=True,
        )
        own = Path("/proc/self/ns/net").readlink()
        self.pid = self._holder.pid
        while Path(f"/proc/{self.pid}/ns/net").readlink() == own:
            os.sched_yield()
        self.run("ip", "link", "set", "lo", "up")
        self.set("ipv4/icmp_ratelimit", "0")  # every refusal is told

    @property
    def prefix(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--"]

    def run(self, *argv: str, given: str | None = None) -> str:
        done = subprocess.run(
            [*self.prefix, *argv], input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (argv, done.stderr)
        return done.stdout

    def batch(self, *lines: str) -> None:
        self.run("ip", "-batch", "-", given="\n".join(lines))

    def set(self, name: str, value: str) -> None:
        self.run("sh", "-c", f"echo {value} > /proc/sys/net/{name}")

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """What is made in here belongs to this network."""
        before = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        try:
            _enter(there)
            yield
        finally:
            _enter(before)
            os.close(there)
            os.close(before)

    def socket(self, kind: int, protocol: int = 0) -> socket.socket:
        with self.inside():
            made = socket.socket(socket.AF_INET, kind, protocol)
        made.settimeout(SILENCE)
        return made

    def end(self) -> None:
        self._holder.send_signal(signal.SIGKILL)
        self._holder.wait()


def _enter(handle: int) -> None:
    if _libc.setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@dataclass
class Wires:
    """The host of an estate, with a namespace for each machine (`perso/desk`) and one for the outside."""

    infra: Infra
    host: Namespace = field(default_factory=Namespace)
    outside: Namespace = field(default_factory=Namespace)
    machines: dict[str, Namespace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.host.set("ipv4/ip_forward", "1")
        self.host.batch(
            f"link add out type veth peer name eth0 netns {self.outside.pid}",
            "link set out up",
            f"addr add {HOST_OUTSIDE}/24 dev out",
        )
        self.outside.batch(
            "link set eth0 up",
            f"addr add {OUTSIDE}/24 dev eth0",
            f"route add default via {HOST_OUTSIDE}",
        )
        for domain in self.infra.domains:
            self.host.batch(
                f"link add {domain.bridge} type bridge",
                f"link set {domain.bridge} up",
                f"addr add {domain.gateway}/24 dev {domain.bridge}",
            )
        for number, machine in enumerate(self.infra.machines()):
            self._connect(number, machine.key, str(machine.address))

    def _connect(self, number: int, key: str, address: str) -> None:
        domain = self.infra.domain(key.partition("/")[0])
        assert domain is not None
        namespace = self.machines[key] = Namespace()
        self.host.batch(
            f"link add veth{number} type veth peer name eth0 netns {namespace.pid}",
            f"link set veth{number} master {domain.bridge} up",
        )
        namespace.batch(
            "link set eth0 up",
            f"addr add {address}/24 dev eth0",
            f"route add default via {domain.gateway}",
        )

    def end(self) -> None:
        for namespace in (*self.machines.values(), self.outside, self.host):
            namespace.end()

    def at(self, name: str) -> Namespace:
        """`perso/desk`, `host` or `outside`."""
        return {"host": self.host, "outside": self.outside, **self.machines}[name]

    def address(self, name: str) -> str:
        if name == "outside":
            return OUTSIDE
        return str(next(m.address for m in self.infra.machines() if m.key == name))

    def reaches(self, source: str, target: str, protocol: str, port: int = 0) -> bool:
        """Whether a packet gets there and its answer back: a refusal is an answer. `target`: a name or an address."""
        return bool(self.reached([(source, target, protocol, port)]))

    def reached(self, tries: Iterable[Try]) -> set[Try]:
        """Those that get there, all tried at once."""
        waiting: dict[socket.socket, Try] = {}
        for each in tries:
            source, target, protocol, port = each
            address = target if target[0].isdigit() else self.address(target)
            waiting[_sent(self.at(source), address, protocol, port)] = each
        found: set[Try] = set()
        until = time.monotonic() + SILENCE
        with selectors.DefaultSelector() as selector:
            for made, (_, _, protocol, _) in waiting.items():
                selector.register(
                    made, selectors.EVENT_WRITE if protocol == "tcp" else selectors.EVENT_READ
                )
            while selector.get_map() and (left := until - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    answered = key.fileobj
                    assert isinstance(answered, socket.socket)
                    if _is_answer(answered, waiting[answered][2]):
                        found.add(waiting[answered])
                        selector.unregister(answered)
        for made in waiting:
            made.close()
        return found

    def connected(self, source: str, target: str, port: int) -> "Connection":
        """An open TCP connection from one machine to another."""
        with self.at(target).socket(socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("0.0.0.0", port))
            listener.listen()
            near = self.at(source).socket(socket.SOCK_STREAM)
            near.connect((self.address(target), port))
            far, _ = listener.accept()
        far.settimeout(SILENCE)
        return Connection(near, far)


@dataclass
class Connection:
    """Both ends of a TCP connection."""

    near: socket.socket
    far: socket.socket

    def passes(self) -> bool:
        """Whether something written at one end can be read at the other, both ways."""
        return _carries(self.near, self.far) and _carries(self.far, self.near)

    def end(self) -> None:
        self.near.close()
        self.far.close()


def _carries(one: socket.socket, other: socket.socket) -> bool:
    one.send(b"x")
    try:
        return bool(other.recv(1))
    except TimeoutError:
        return False


def _sent(namespace: Namespace, address: str, protocol: str, port: int) -> socket.socket:
    """A socket whose first packet is on its way."""
    if protocol == "icmp":  # an echo request, RFC 792
        made = namespace.socket(socket.SOCK_RAW, socket.IPPROTO_ICMP)
        made.connect((address, 0))
        header = struct.pack("!BBHHH", 8, 0, 0, 77, 1)
        made.send(struct.pack("!BBHHH", 8, 0, _checksum(header), 77, 1))
    else:
        made = namespace.socket(socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
        made.setblocking(False)
        made.connect_ex((address, port))
        if protocol == "udp":
            made.send(b"?")
    return made


def _is_answer(made: socket.socket, protocol: str) -> bool:
    if protocol == "icmp":
        return made.recv(256)[20] == 0
    error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    assert error in (0, errno.ECONNREFUSED), os.strerror(error)
    return True


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def forge(namespace: Namespace, source: str, target: str, port: int, content: bytes) -> None:
    """Send a UDP datagram with a source address of one's choice (RFC 768; a checksum of 0 means none)."""
    datagram = struct.pack("!HHHH", 4000, port, 8 + len(content), 0) + content
    total = 20 + len(datagram)
    addresses = socket.inet_aton(source), socket.inet_aton(target)
    blank = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 1, 0, 64, 17, 0, *addresses)
    header = blank[:10] + struct.pack("!H", _checksum(blank)) + blank[12:]
    with namespace.socket(socket.SOCK_RAW, socket.IPPROTO_RAW) as made:
        made.sendto(header + datagram, (target, 0))


def listening(namespace: Namespace, port: int) -> socket.socket:
    """A UDP socket on every address of the namespace."""
    made = namespace.socket(socket.SOCK_DGRAM)
    made.bind(("0.0.0.0", port))
    return made
