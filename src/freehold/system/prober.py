"""The prober: sends packets, and tells which arrived. ONE file of the standard library, for any Python from 3.7 on.

`operations.traffic.station` hands this file's text to `python3 -c` inside machines and on the host; nothing imports it.
It leaves no file behind. It is called three times with a request as JSON, and answers with JSON:

    listen   a child of it stays and listens; the caller comes back once it is ready. The child ends by itself after
             `seconds`, whatever became of who started it
    probe    send what `checks` says, several times, and wait `patience` seconds for answers
    collect  ask the child what arrived, which ends it

Every packet carries `fh-TOKEN-NUMBER` and a sign: `-` asks the listener for an answer, `s` (silent) does not. The listener
reads from raw sockets, which see a packet after the machine's firewall let it in and whoever else has bound its port
(raw(7), packet(7)); so it takes no port away from a service. Layouts are those of RFC 768, 791, 792, 1035 and 9293.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import selectors
import signal
import socket
import struct
import sys
import time
from functools import partial

TYPE_CHECKING = False  # without `typing` it starts faster
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

TOKEN = re.compile(rb"fh-([0-9a-f]{16})-(\d{1,9})([-s])")
ANSWER = re.compile(rb"re-([0-9a-f]{16})-(\d{1,9})-")
# Seconds after the start at which a packet that is not answered is sent (again).
ATTEMPTS = (0.0, 0.2, 0.5, 0.9)
TCP_ATTEMPTS = (0.0, 0.5)  # the kernel repeats each by itself after one second
ECHO_REQUEST, ECHO_REPLY, UNREACHABLE, ECHO_REQUEST_6 = 8, 0, 3, 128  # ICMP types, RFC 792 and 4443
SYN, ACK = 0x02, 0x10
IP_PKTINFO = 8  # linux/in.h; the socket module has it only since 3.14
MOST_SYNS = 20000


def raw(family: int, protocol: int) -> tuple[socket.socket | None, str]:
    """A raw socket, or the reason why there is none."""
    try:
        opened = socket.socket(family, socket.SOCK_RAW, protocol)
        opened.setblocking(False)
        return opened, ""
    except OSError as failure:
        return None, os.strerror(failure.errno or 0)


def checksum(data: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(word for (word,) in struct.iter_unpack("!H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def waiting_in(source: socket.socket) -> Iterator[bytes]:
    """The packets that wait in a socket, at most 200: then it is the others' turn."""
    with contextlib.suppress(OSError):
        for _ in range(200):
            yield source.recv(2048)


def payload(token: bytes, number: int, sign: bytes = b"-") -> bytes:
    """What every packet carries."""
    return b"fh-%s-%d%s" % (token, number, sign)


def control_name(request: dict[str, Any]) -> str:
    """An abstract unix socket (unix(7)): it has no file, and goes with its process."""
    return "\0freehold-traffic-" + str(request["token"])


class Listener:
    """The child that stays: notes the numbers of this run's packets, and answers those that ask for it."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.token = request["token"].encode()
        self.seconds = int(request["seconds"])
        self.arrived: set[int] = set()
        self.syns: set[tuple[int, int]] = set()
        self.udp, self.problem = raw(socket.AF_INET, socket.IPPROTO_UDP)
        self.icmp, _ = raw(socket.AF_INET, socket.IPPROTO_ICMP)
        self.tcp, _ = raw(socket.AF_INET, socket.IPPROTO_TCP)
        self.udp6, _ = raw(socket.AF_INET6, socket.IPPROTO_UDP)
        self.icmp6, _ = raw(socket.AF_INET6, socket.IPPROTO_ICMPV6)
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.control.bind(control_name(request))
        self.control.listen(1)

    def run(self) -> None:
        """Listen until somebody collects. The alarm ends the process when nobody does."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(self.seconds)
        waiting = selectors.DefaultSelector()
        takers: dict[socket.socket | None, Callable[[bytes], Any] | None] = {
            self.udp: self.take_udp,
            self.icmp: self.take_icmp,
            self.tcp: self.take_tcp,
            self.udp6: self.note,
            self.icmp6: self.take_icmp6,
            self.control: None,
        }
        for source, taker in takers.items():
            if source is not None:
                waiting.register(source, selectors.EVENT_READ, (source, taker))
        while True:
            for key, _ in waiting.select():
                source, taker = key.data
                if taker is None:
                    self.hand_over()
                    return
                for packet in waiting_in(source):
                    with contextlib.suppress(OSError, IndexError, struct.error):
                        taker(packet)

    def hand_over(self) -> None:
        caller, _ = self.control.accept()
        answer = {"arrived": sorted(self.arrived), "syns": sorted(self.syns)}
        caller.sendall(json.dumps(answer).encode())

    def note(self, packet: bytes) -> int | None:
        """Note a packet of this run; its number when it asks for an answer."""
        found = TOKEN.search(packet)
        if found is None or found[1] != self.token:
            return None
        self.arrived.add(int(found[2]))
        return int(found[2]) if found[3] == b"-" else None

    def take_udp(self, packet: bytes) -> None:
        number = self.note(packet)
        if number is None or self.udp is None:
            return
        start = (packet[0] & 0x0F) * 4
        source, target = packet[12:16], packet[16:20]
        sport, dport = struct.unpack("!HH", packet[start : start + 4])
        answer = b"re-%s-%d-" % (self.token, number)
        # A checksum of zero is none (RFC 768). The answer must leave with the address that was asked.
        answer = struct.pack("!HHHH", dport, sport, 8 + len(answer), 0) + answer
        own = [(socket.IPPROTO_IP, IP_PKTINFO, struct.pack("I4s4s", 0, target, target))]
        self.udp.sendmsg([answer], own, 0, (socket.inet_ntoa(source), 0))

    def take_icmp(self, packet: bytes) -> None:
        if packet[(packet[0] & 0x0F) * 4] == ECHO_REQUEST:
            self.note(packet)

    def take_icmp6(self, packet: bytes) -> None:
        if packet[0] == ECHO_REQUEST_6:
            self.note(packet)

    def take_tcp(self, packet: bytes) -> None:
        """Note the ports of a first packet, whoever sent it: a SYN has no room for a number."""
        start = (packet[0] & 0x0F) * 4
        if packet[start + 13] & (SYN | ACK) == SYN and len(self.syns) < MOST_SYNS:
            self.syns.add(struct.unpack("!HH", packet[start : start + 4]))


def listen(request: dict[str, Any]) -> dict[str, Any]:
    """Start the child; answer once it listens."""
    listener = Listener(request)
    sys.stdout.flush()
    if os.fork() == 0:
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(nothing, number)
            listener.run()
        finally:
            os._exit(0)
    own = {"addresses": local_addresses(), "addresses6": addresses6()}
    return {"problem": listener.problem, **own}


def collect(request: dict[str, Any]) -> Any:
    """What the child has seen."""
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    caller.settimeout(5)
    caller.connect(control_name(request))
    parts = iter(lambda: caller.recv(65536), b"")
    return json.loads(b"".join(parts).decode())


def local_addresses() -> list[str]:
    """Every IPv4 address of this network namespace but loopback's (/proc/net/fib_trie)."""
    found: set[str] = set()
    last = ""
    with open("/proc/net/fib_trie") as table:
        for line in table:
            words = line.split()
            if "host LOCAL" in line and not last.startswith("127."):
                found.add(last)
            elif len(words) == 2 and words[0] == "|--":
                last = words[1]
    return sorted(found)


def addresses6() -> list[tuple[str, str]]:
    """Every IPv6 address with its interface, loopback left out; none where IPv6 is off."""
    try:
        with open("/proc/net/if_inet6") as table:
            lines = [line.split() for line in table]
    except OSError:
        return []
    return [
        (socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line[0])), line[5])
        for line in lines
        if line[5] != "lo"
    ]


class Probe:
    """Sends the checks `[number, kind, address, port, extra]` of a request and notes what was answered."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.token = request["token"].encode()
        self.patience = float(request["patience"])
        self.checks = request["checks"]
        # Of echo requests and as a forged port: no state that a firewall keeps of an earlier run may fit.
        self.mark = 1024 + int.from_bytes(os.urandom(2), "big") % 64000
        self.answered: set[int] = set()
        self.failed: dict[int, str] = {}
        self.connecting: dict[socket.socket, int] = {}
        self.attempts: dict[int, int] = {}
        self.waiting = selectors.DefaultSelector()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.waiting.register(self.udp, selectors.EVENT_READ, self.take_udp)
        self.icmp, self.no_icmp = raw(socket.AF_INET, socket.IPPROTO_ICMP)
        if self.icmp is not None:
            take_icmp = partial(self.take_icmp, self.icmp)
            self.waiting.register(self.icmp, selectors.EVENT_READ, take_icmp)
        self.forger, self.no_forger = raw(socket.AF_INET, socket.IPPROTO_RAW)
        self.senders: dict[str, Callable[..., None]] = {
            "icmp": self.send_icmp,
            "udp": self.send_udp,
            "dns": self.send_dns,
            "spoofed": self.send_spoofed,
            "ipv6": self.send_ipv6,
            "tcp": self.send_tcp,
        }

    def run(self) -> dict[str, Any]:
        """Send, and send again what is not answered, until `patience` is over or everything is answered."""
        start = time.monotonic()
        due = sorted(
            (at, place)
            for place, check in enumerate(self.checks)
            for at in (TCP_ATTEMPTS if check[1] == "tcp" else ATTEMPTS)
        )
        while due or time.monotonic() < start + self.patience:
            if len(self.answered) + len(self.failed) == len(self.checks):
                break
            now = time.monotonic() - start
            for _ in range(50):  # then look what came back
                if not due or due[0][0] > now:
                    break
                self.send(self.checks[due.pop(0)[1]])
            until = due[0][0] if due else self.patience
            self.wait(max(0.0, min(until - (time.monotonic() - start), 0.2)))
        return {
            "answered": sorted(self.answered),
            "failed": {str(number): why for number, why in self.failed.items()},
        }

    def wait(self, seconds: float) -> None:
        for key, _ in self.waiting.select(seconds):
            key.data()

    def send(self, check: list[Any]) -> None:
        number, kind, *rest = check
        if number in self.answered or number in self.failed:
            return
        try:
            self.senders[kind](number, *rest)
        except OSError as failure:
            # No permission is what a firewall on the way out says: silence. No buffers: the next attempt may pass.
            if failure.errno not in (errno.EPERM, errno.EACCES, errno.ENOBUFS, errno.EAGAIN):
                self.failed[number] = os.strerror(failure.errno or 0)

    def send_icmp(self, number: int, address: str, _port: int, _extra: Any) -> None:
        if self.icmp is None:
            self.failed[number] = "no raw sockets: " + self.no_icmp
            return
        self.icmp.sendto(self.echo(ECHO_REQUEST, number), (address, 0))

    def echo(self, kind: int, number: int) -> bytes:
        words = struct.pack("!HH", self.mark, number & 0xFFFF)
        words += payload(self.token, number)
        total = checksum(struct.pack("!BBH", kind, 0, 0) + words)
        return struct.pack("!BBH", kind, 0, total) + words

    def send_udp(self, number: int, address: str, port: int, _extra: Any) -> None:
        self.udp.sendto(payload(self.token, number), (address, port))

    def send_dns(self, number: int, address: str, port: int, domain: str) -> None:
        """A question for an address; its first label is the token, so that the answer repeats it."""
        labels = [payload(self.token, number, b"s"), *domain.encode().split(b".")]
        name = b"".join(bytes([len(label)]) + label for label in labels)
        head = struct.pack("!HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0)  # recursion desired
        self.udp.sendto(head + name + b"\0" + struct.pack("!HH", 1, 1), (address, port))

    def send_spoofed(self, number: int, address: str, port: int, forged: str) -> None:
        """A whole packet of our own with somebody else's source address; the kernel adds the header's checksum."""
        if self.forger is None:
            self.failed[number] = "no raw sockets: " + self.no_forger
            return
        words = payload(self.token, number, b"s")
        words = struct.pack("!HHHH", self.mark, port, 8 + len(words), 0) + words
        ends = socket.inet_aton(forged), socket.inet_aton(address)
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(words), 0, 0, 64, 17, 0, *ends)
        self.forger.sendto(head + words, (address, 0))

    def send_ipv6(self, number: int, address: str, port: int, _extra: Any) -> None:
        """UDP and an echo request on every interface: link-local addresses and groups mean something on a link only."""
        links = sorted({name for _, name in addresses6()})
        if not links:
            self.failed[number] = "IPv6 is off in it"
        echo, _ = raw(socket.AF_INET6, socket.IPPROTO_ICMPV6)
        plain = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        for link in links:
            scope = socket.if_nametoindex(link)
            words = payload(self.token, number)
            for way, packet in ((plain, words), (echo, self.echo(ECHO_REQUEST_6, number))):
                try:
                    if way is not None:
                        way.sendto(packet, (address, port if way is plain else 0, 0, scope))
                except OSError:
                    continue  # this link has no IPv6 after all
        plain.close()
        if echo is not None:
            echo.close()

    def send_tcp(self, number: int, address: str, port: int, own_port: int) -> None:
        """A connection from a port by which the listener knows it: this one, or at the second attempt the next."""
        way = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        way.setblocking(False)
        way.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        attempt = self.attempts.get(number, 0)
        self.attempts[number] = attempt + 1
        with contextlib.suppress(OSError):  # somebody has it: the answer counts all the same
            way.bind(("", own_port + attempt))
        failure = way.connect_ex((address, port))
        if failure not in (0, errno.EINPROGRESS):
            self.ended(number, way, address, failure)
            return
        self.connecting[way] = number
        self.waiting.register(way, selectors.EVENT_WRITE, partial(self.connected, way, address))

    def connected(self, way: socket.socket, address: str) -> None:
        self.waiting.unregister(way)
        number = self.connecting.pop(way)
        self.ended(number, way, address, way.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def ended(self, number: int, way: socket.socket, address: str, failure: int) -> None:
        """A refusal and an ICMP error are answers: the packet was seen by somebody beyond the rules."""
        own = way.getsockname()[0]
        way.close()
        near = own.rpartition(".")[0] == address.rpartition(".")[0]
        if failure in (0, errno.ECONNREFUSED) or (failure == errno.EHOSTUNREACH and not near):
            self.answered.add(number)
        elif failure in (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EMFILE):
            self.failed[number] = os.strerror(failure)

    def take_udp(self) -> None:
        for packet in waiting_in(self.udp):
            for pattern in (ANSWER, TOKEN):  # a name server repeats the question
                self.note(pattern.search(packet))

    def take_icmp(self, source: socket.socket) -> None:
        """Echo replies, and errors that somebody else sends: they repeat the packet that they are about."""
        for packet in waiting_in(source):
            start = (packet[0] & 0x0F) * 4
            from_elsewhere = packet[12:16] != packet[16:20]  # else: the own kernel found nobody
            if packet[start] == ECHO_REPLY or (packet[start] == UNREACHABLE and from_elsewhere):
                self.note(TOKEN.search(packet))

    def note(self, found: re.Match[bytes] | None) -> None:
        if found is not None and found[1] == self.token:
            self.answered.add(int(found[2]))


def main() -> None:
    """One request, one answer."""
    request = json.loads(sys.argv[1])
    modes = {"listen": listen, "probe": lambda asked: Probe(asked).run(), "collect": collect}
    json.dump(modes[request["mode"]](request), sys.stdout)


if __name__ == "__main__":
    main()
