"""Runs inside the lab and tells whether a packet ever gets from one domain into another.

From the first moment at which a machine has an address, it sends from every machine's own network to every other domain's
machines, many times a second, and listens there. One line of JSON at the end: how many were sent between which machines,
and what arrived. The end of its input ends it. Needs nothing but Python; not imported by any test.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import sys
import time
from collections import Counter
from pathlib import Path

PORT = 7777
NETWORK = 0x40000000  # CLONE_NEWNET
ADDRESS_OF = 0x8915  # SIOCGIFADDR, netdevice(7)
libc = ctypes.CDLL(None, use_errno=True)


class Machine:
    """A machine's network: one socket to send from and to listen on."""

    def __init__(self, handle: int) -> None:
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        libc.setns(handle, NETWORK)
        try:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        finally:
            libc.setns(own, NETWORK)
            os.close(own)
        self.socket.setblocking(False)
        self.socket.bind(("", PORT))
        self.address = ""

    def look(self) -> None:
        """Which address eth0 has now."""
        request = struct.pack("256s", b"eth0")
        try:
            answer = fcntl.ioctl(self.socket, ADDRESS_OF, request)
            self.address = socket.inet_ntoa(answer[20:24])
        except OSError:
            self.address = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition(".")[0]


def networks(known: dict[int, Machine]) -> None:
    """Take in every network namespace that is not known yet."""
    own = Path("/proc/self/ns/net").stat().st_ino
    for process in Path("/proc").glob("[0-9]*/ns/net"):
        with contextlib.suppress(OSError):
            number = process.stat().st_ino
            if number != own and number not in known:
                handle = os.open(process, os.O_RDONLY)
                known[number] = Machine(handle)
                os.close(handle)


def main() -> None:
    """Watch until nobody is at the other end of standard input."""
    known: dict[int, Machine] = {}
    sent: Counter[str] = Counter()
    arrived: Counter[str] = Counter()
    sys.stdout.write("watching\n")
    sys.stdout.flush()
    looked = 0.0
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        if time.monotonic() - looked > 0.05:
            networks(known)
            for machine in known.values():
                machine.look()
            looked = time.monotonic()
        machines = [machine for machine in known.values() if machine.address]
        for source in machines:
            for target in machines:
                if source.domain != target.domain:
                    pair = f"{source.address} to {target.address}"
                    with contextlib.suppress(OSError):
                        source.socket.sendto(pair.encode(), (target.address, PORT))
                        sent[pair] += 1
        for machine in machines:
            with contextlib.suppress(OSError):
                while True:
                    arrived[machine.socket.recv(100).decode()] += 1
    json.dump({"sent": sent, "arrived": arrived}, sys.stdout)


if __name__ == "__main__":
    main()
