"""Run in a machine: puts frames on eth0, honest ones and lies, again and again for a few seconds. Argument: its MAC."""

import socket
import struct
import sys
import time

OWN_MAC = bytes.fromhex(sys.argv[1].replace(":", ""))
OTHER_MAC = bytes.fromhex("02005e001401")
ALL = b"\xff" * 6
SECONDS = 4.0
GATEWAY, NEIGHBOUR, UNKNOWN = "10.100.7.1", "10.100.7.11", "0.0.0.0"
IPV4, ARP, IPV6, EXPERIMENT = (
    0x0800,
    0x0806,
    0x86DD,
    0x88B5,
)  # the last: IEEE Std 802, local experiments


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((GATEWAY, 9))  # sends nothing
        return str(sock.getsockname()[0])


def frame(sender: bytes, kind: int, payload: bytes) -> bytes:
    return ALL + sender + struct.pack("!H", kind) + payload


def ipv4(source: str, data: bytes) -> bytes:
    udp = struct.pack("!HHHH", 9, 9, 8 + len(data), 0) + data
    ends = socket.inet_aton(source) + socket.inet_aton("10.100.7.255")
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + ends
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return header[:10] + struct.pack("!H", ~total & 0xFFFF) + header[12:] + udp


def ipv6(data: bytes) -> bytes:
    udp = struct.pack("!HHHH", 9, 9, 8 + len(data), 1) + data
    source = socket.inet_pton(socket.AF_INET6, "fe80::1466")
    target = socket.inet_pton(socket.AF_INET6, "ff02::1")
    return struct.pack("!IHBB", 6 << 28, len(udp), 17, 1) + source + target + udp


def arp(source: str) -> bytes:
    head = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2)
    return head + OWN_MAC + socket.inet_aton(source) + ALL + socket.inet_aton(source)


def said(what: str) -> bytes:
    return b"<said:" + what.encode() + b">"


def frames() -> list[bytes]:
    own = own_address()
    return [
        frame(OTHER_MAC, IPV4, ipv4(own, said("another MAC address"))),
        frame(OWN_MAC, IPV4, ipv4(NEIGHBOUR, said("the neighbour's address"))),
        frame(OWN_MAC, IPV4, ipv4(GATEWAY, said("the gateway's address"))),
        frame(OWN_MAC, ARP, arp(NEIGHBOUR) + said("ARP for the neighbour's address")),
        frame(OWN_MAC, IPV6, ipv6(said("IPv6"))),
        frame(OTHER_MAC, IPV6, ipv6(said("IPv6 from another MAC address"))),
        frame(OWN_MAC, EXPERIMENT, said("neither IP nor ARP")),
        frame(OWN_MAC, IPV4, ipv4(own, said("honest"))),
    ]


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind(("eth0", 0))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for each in frames():
            wire.send(each)
        time.sleep(0.2)
