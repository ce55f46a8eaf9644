#!/usr/bin/env python3
"""Stands for a VPN over TCP at port 443, in a network of its own that `docker_api.py` made: a tunnel, and beside it a way to 192.0.2.0/24 alone.

Options, as JSON: `server` is its address; `leaks` one that something in that network speaks to at the same port; `mends` whether it puts
the tunnel up again by itself; `ready` the file that says that it serves.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

PORT = 443
GATEWAY = "10.99.0.1"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, stderr=subprocess.DEVNULL)


def way_out() -> None:
    """An interface whose other end nobody reads."""
    ip("link", "set", "lo", "up")
    ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    ip("address", "add", "10.99.0.2/24", "dev", "eth0")
    for name in ("eth0", "eth1"):
        ip("link", "set", name, "up")
    ip("neighbor", "add", GATEWAY, "lladdr", "02:00:00:00:00:01", "dev", "eth0")
    ip("route", "add", "192.0.2.0/24", "via", GATEWAY)


def tunnel() -> int:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI  # fmt: skip
    ip("address", "add", "10.8.0.2/24", "dev", "tun0")
    put_up()
    return device


def put_up() -> None:
    ip("link", "set", "tun0", "up")
    ip("route", "replace", "default", "dev", "tun0")


def mend() -> None:
    while True:
        time.sleep(0.1)
        with contextlib.suppress(subprocess.CalledProcessError):  # put down in this very moment
            put_up()


class Sender:
    """Of TCP segments to one address; who is there does not matter."""

    def __init__(self, to: str) -> None:
        self.to = to
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)

    def send(self) -> None:
        segment = struct.pack("!HHIIBBHHH", 50000, PORT, 1, 1, 5 << 4, 0x10, 1024, 0, 0)
        self.socket.sendto(segment, (self.to, 0))


def leak(to: str) -> None:
    sender = Sender(to)
    while True:
        sender.send()
        time.sleep(0.05)


def main() -> None:
    options = json.loads(sys.argv[1])
    way_out()
    device, server = tunnel(), Sender(options["server"])
    if options.get("leaks"):
        threading.Thread(target=leak, args=(options["leaks"],), daemon=True).start()
    if options.get("mends"):
        threading.Thread(target=mend, daemon=True).start()
    pathlib.Path(options["ready"]).touch()
    while True:
        try:
            os.read(device, 65536)
        except OSError:  # it is put down
            time.sleep(0.02)
        else:
            server.send()


if __name__ == "__main__":
    main()
