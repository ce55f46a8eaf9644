"""All that leaves a network, seen on a packet socket inside it: after its firewall let it pass (packet(7)). Part of what `leaks.text` brings to a target."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freehold.system.leaks.network import Address, Network

TOKEN = b"fh" + os.urandom(8).hex().encode()
"""In each probe but those by TCP, which are known by where they go."""

_OUTGOING, _ETHER, _LOOPBACK = 4, 1, 772  # linux/if_packet.h, linux/if_arp.h
_ALL_PROTOCOLS = 3  # ETH_P_ALL
_ATTACH_FILTER, _BUFFER, _PACKETS, _STATISTICS = (
    26,
    33,
    263,
    6,
)  # asm-generic/socket.h, linux/if_packet.h
_LARGE = 8 << 20
# Of what goes out the first 160 bytes, of the rest nothing: ld pkttype; jeq OUTGOING; ret 160; ret 0 (linux/filter.h).
_FILTER = ((0x20, 0, 0, 0xFFFFF004), (0x15, 0, 1, _OUTGOING), (0x06, 0, 0, 160), (0x06, 0, 0, 0))
_NAMES = {1: "icmp", 58: "icmp", 6: "tcp", 17: "udp"}
_DNS_PORTS = (53, 853)
_HOME = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_NOT_OUTSIDE = [ipaddress.ip_network(each) for each in _HOME]


class Sniffer:
    """What left, by what it is: how often, when first and when last, in seconds since `began`.

    `targets` are the addresses of probes, `taps` tunnels that look like network cards, `served` the ports of which answers go to who asked.
    """

    def __init__(
        self, network: Network, targets: set[str], taps: list[str], served: list[int]
    ) -> None:
        self.began = time.monotonic()
        self._targets, self._taps, self._served = targets, taps, served
        self._seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        with network.entered():
            self._socket = socket.socket(
                socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL_PROTOCOLS)
            )
        program = ctypes.create_string_buffer(
            b"".join(struct.pack("HBBI", *each) for each in _FILTER)
        )
        described = struct.pack("HL", len(_FILTER), ctypes.addressof(program))
        self._socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, described)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _BUFFER, _LARGE)
        self._socket.setblocking(False)

    def look(self) -> None:
        """Take what is there."""
        while True:
            try:
                packet, (name, _, direction, hardware, *_) = self._socket.recvfrom(2048)
            except BlockingIOError:
                return
            except OSError:  # an interface that is put down says so here
                continue
            if direction == _OUTGOING and hardware != _LOOPBACK:
                self._note(packet, name, hardware)

    def lost(self) -> int:
        """How many packets came too fast to be looked at."""
        counted = self._socket.getsockopt(_PACKETS, _STATISTICS, 8)
        return int(struct.unpack("II", counted)[1])

    def told(self, near: list[Address]) -> list[dict[str, Any]]:
        """All of it, but for what stays beside the container."""
        named = ("interface", "protocol", "to", "port", "ours", "in_tunnel")
        every = [{**dict(zip(named, key)), **entry} for key, entry in self._seen.items()]  # noqa: B905 - Python 3.9
        return [each for each in every if each["ours"] or not stays(each["to"], each["port"], near)]

    def _note(self, packet: bytes, name: str, hardware: int) -> None:
        read = parsed(packet)
        if read is None:
            return
        protocol, to, source, port = read
        ours = to in self._targets and (protocol == "tcp" or TOKEN in packet)
        in_tunnel = hardware != _ETHER or name in self._taps
        if not ours and not in_tunnel and source in self._served:
            return
        now = time.monotonic() - self.began
        key = (name, protocol, to, port, ours, in_tunnel)
        entry = self._seen.setdefault(key, {"first": now, "count": 0})
        entry["count"] += 1
        entry["last"] = now


def parsed(packet: bytes) -> tuple[str, str, int, int] | None:
    """Protocol, whereto, port of the source and of the destination (0 where there is none); None for what is no IP (RFC 791, RFC 8200)."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        number, rest, to = packet[9], packet[(packet[0] & 15) * 4 :], packet[16:20]
    elif len(packet) >= 40 and packet[0] >> 4 == 6:
        number, rest, to = packet[6], packet[40:], packet[24:40]
    else:
        return None
    has_ports = number in (6, 17) and len(rest) >= 4
    source, port = struct.unpack("!HH", rest[:4]) if has_ports else (0, 0)
    return _NAMES.get(number, f"protocol {number}"), str(ipaddress.ip_address(to)), source, port


def stays(to: str, port: int, near: list[Address]) -> bool:
    """Whether it goes to neighbours only. A question to a resolver that is not beside it goes out, wherever that is."""
    address = ipaddress.ip_address(to)
    if address.is_multicast or address.is_link_local or to == "255.255.255.255":
        return True
    if any(address in each for each in near):
        return True
    return port not in _DNS_PORTS and any(address in each for each in _NOT_OUTSIDE)
