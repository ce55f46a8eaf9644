"""Rounds of probes out of a network, and the public address that it has. Part of what `leaks.text` brings to a target."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import socket
import struct
import urllib.parse
from typing import TYPE_CHECKING

from freehold.system.leaks.packets import TOKEN

if TYPE_CHECKING:
    from freehold.system.leaks.network import Network

_PROTOCOLS = ("udp", "tcp", "icmp", "dns")
_PORTS = {"icmp": 0, "dns": 53}
_HTTPS = 443
_OPEN = 300  # sockets that wait for an answer at once
_ECHO_6, _ECHO_REPLY, _ECHO_REPLY_6 = 128, 0, 129  # RFC 792, RFC 4443
_KNOWS = (
    0,
    3,
)  # a resolver's answer of one who has asked somebody: here it is, and there is no such name (RFC 1035)
_PATIENCE = 8.0


class Probes:
    """To each address by UDP, TCP, ICMP and DNS: as a program would send them, and bound to each interface; and to each resolver."""

    def __init__(self, network: Network, outside: list[str], resolvers: list[str]) -> None:
        self.sent = self.refused = 0
        self.answers: list[dict[str, str]] = []
        self._network, self._outside, self._resolvers = network, outside, resolvers
        self._open: list[tuple[str, str, str, socket.socket]] = []

    def round(self) -> None:
        """Send each once."""
        self.collect(keep=_OPEN)
        with self._network.entered():
            ways = ["", *(name for _, name in socket.if_nameindex() if name != "lo")]
            for to in self._outside:
                for way in ways:
                    for protocol in _PROTOCOLS:
                        self._send(protocol, to, way)
            for to in self._resolvers:
                self._send("dns", to, "")

    def collect(self, keep: int = 0) -> None:
        """Look whether the older ones were answered, and give them up."""
        old = self._open[: max(0, len(self._open) - keep)]
        del self._open[: len(old)]
        for protocol, to, way, each in old:
            if _answered(protocol, ":" in to, each):
                self.answers.append({"protocol": protocol, "to": to, "way": way})
            each.close()

    def _send(self, protocol: str, to: str, way: str) -> None:
        six = ":" in to
        kinds = {"tcp": (socket.SOCK_STREAM, 0), "icmp": (socket.SOCK_RAW, 58 if six else 1)}
        kind, number = kinds.get(protocol, (socket.SOCK_DGRAM, 0))
        made = None
        try:
            made = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind, number)
            made.setblocking(False)
            if way:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, way.encode())
            with contextlib.suppress(BlockingIOError):
                made.connect((to, _PORTS.get(protocol, _HTTPS)))
            if protocol != "tcp":
                made.send({"dns": _question(), "icmp": _echo(six)}.get(protocol, TOKEN))
        except OSError:
            self.refused += 1
            if made is not None:
                made.close()
            return
        self.sent += 1
        self._open.append((protocol, to, way, made))


def _answered(protocol: str, six: bool, each: socket.socket) -> bool:
    try:
        if protocol == "tcp":
            each.getpeername()
            return True
        said = each.recv(2048)
    except OSError:
        return False
    if protocol == "dns":
        return len(said) > 3 and said[3] & 15 in _KNOWS
    if (
        protocol == "icmp"
    ):  # what a raw socket gives begins with the header of IPv4, and not of IPv6
        return said[:1] == bytes([_ECHO_REPLY_6]) if six else said[20:21] == bytes([_ECHO_REPLY])
    return True


def _question() -> bytes:
    """Ask for a name that nobody has in memory (RFC 1035)."""
    labels = (TOKEN + os.urandom(4).hex().encode(), b"example", b"com")
    name = b"".join(bytes([len(each)]) + each for each in labels)
    return os.urandom(2) + b"\x01\0\0\x01\0\0\0\0\0\0" + name + b"\0\0\x01\0\x01"


def _echo(six: bool) -> bytes:
    """Make an echo request; the checksum of ICMPv6 is the kernel's task."""
    body = struct.pack("!HH", os.getpid() & 0xFFFF, 1) + TOKEN
    if six:
        return bytes([_ECHO_6, 0, 0, 0]) + body
    words = struct.unpack(f"!{len(body) // 2 + 2}H", b"\x08\0\0\0" + body)
    total = (sum(words) & 0xFFFF) + (sum(words) >> 16)
    return b"\x08\0" + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + body


def resolvers(pid: int) -> list[str]:
    """Whom programs in a container ask for names; all that share a network share that file."""
    try:
        with open(f"/proc/{pid}/root/etc/resolv.conf", encoding="utf-8") as file:
            lines = [line.split() for line in file]
    except OSError:
        return []
    named = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    return [each for each in named if "%" not in each]


def public_address(url: str, network: Network | None) -> str:
    """What the URL says who asks, from here or from inside a network; nothing without an answer. Its name is looked up here."""
    parts = urllib.parse.urlsplit(url)
    secure = parts.scheme == "https"
    try:
        port = parts.port or (_HTTPS if secure else 80)
        found = socket.getaddrinfo(parts.hostname, port, socket.AF_INET, socket.SOCK_STREAM)
        where = (str(found[0][4][0]), port)
        with network.entered() if network is not None else contextlib.nullcontext():
            made = socket.create_connection(where, timeout=_PATIENCE)
        if secure:
            import ssl  # takes long, and most of what runs here needs none

            made = ssl.create_default_context().wrap_socket(made, server_hostname=parts.hostname)
        link = http.client.HTTPConnection(parts.netloc)
        link.sock = made
        link.request("GET", parts.path or "/", headers={"User-Agent": "freehold"})
        said = link.getresponse().read(100).decode("utf-8", "replace").strip()
        made.close()
        return str(ipaddress.ip_address(said))
    except (OSError, ValueError, http.client.HTTPException):
        return ""
