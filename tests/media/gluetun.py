#!/usr/bin/env python3
"""Stands for Gluetun in an image of its name: a tunnel through a device `tun0`, and a firewall that lets nothing out beside it.

How well it does that is said by the setting `servers`: `sound`; `open`, without a firewall; `late`, with one that comes seconds after its start.
"""

import fcntl
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import time

READY = pathlib.Path("/run/ready")
MARK, TABLE = "51820", "51820"
PORT = 1637
LATE = 5.0


def run(*words: str) -> None:
    subprocess.run(words, check=True)


def close_all(endpoint: str) -> None:
    """All but what goes into the tunnel, to the VPN's server, beside it, or answers somebody."""
    for program in ("iptables", "ip6tables"):
        run(program, "-w", "-P", "OUTPUT", "DROP")
        for rule in ("-o lo", "-o tun0", "-m conntrack --ctstate ESTABLISHED,RELATED"):
            run(program, "-w", "-A", "OUTPUT", *rule.split(), "-j", "ACCEPT")
    run(
        "iptables",
        "-w",
        "-A",
        "OUTPUT",
        "-d",
        endpoint,
        "-p",
        "udp",
        "--dport",
        str(PORT),
        "-j",
        "ACCEPT",
    )


def tunnel() -> int:
    """The device, with a table of routes that all but the tunnel's own packets use, as WireGuard has it."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(
        device, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001)
    )  # TUNSETIFF, IFF_TUN | IFF_NO_PI
    run("ip", "address", "add", "10.8.0.2/24", "dev", "tun0")
    run("ip", "link", "set", "tun0", "up")
    run("ip", "route", "add", "default", "dev", "tun0", "table", TABLE)
    run("ip", "rule", "add", "not", "fwmark", MARK, "table", TABLE)
    run("ip", "rule", "add", "table", "main", "suppress_prefixlength", "0")
    return device


def carry(device: int, endpoint: str) -> None:
    """Bring packets there and back, also after the device was put down for a while."""
    outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outer.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(MARK))
    outer.connect((endpoint, PORT))
    while True:
        ready, _, _ = select.select([device, outer.fileno()], [], [], 1)
        for each in ready:
            try:
                if each == outer.fileno():
                    os.write(device, outer.recv(65536))
                else:
                    outer.send(os.read(device, 65536))
            except OSError:
                time.sleep(0.05)


def main() -> None:
    if sys.argv[1:] == ["healthcheck"]:
        sys.exit(0 if READY.exists() else 1)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    READY.unlink(missing_ok=True)
    endpoint, kind = os.environ["WIREGUARD_ENDPOINT_IP"], os.environ["SERVER_NAMES"]
    for name in ("PRIVATE_KEY", "PRESHARED_KEY", "ADDRESSES"):
        assert pathlib.Path(os.environ[f"WIREGUARD_{name}_SECRETFILE"]).read_text()
    if kind == "sound":
        close_all(endpoint)
    device = tunnel()
    if kind == "late":
        time.sleep(LATE)
        close_all(endpoint)
    if kind != "open":
        pathlib.Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    READY.touch()
    carry(device, endpoint)


if __name__ == "__main__":
    main()
