"""What stands for the internet: the address that was asked for, else the host's resolver. Called by `cli.verify`."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from freehold.model import Infra

# systemd-resolved writes a loopback address into the first; the second has the real ones (systemd-resolved(8)).
_FILES = ("etc/resolv.conf", "run/systemd/resolve/resolv.conf")
_DNS_PORT = 53


def default_outside(infra: Infra, root: Path = Path("/")) -> tuple[str, int] | None:
    """The first resolver that lies outside of the estate and of this computer; None when there is none."""
    for address in _resolvers(root):
        if not address.is_loopback and address not in infra.base:
            return str(address), _DNS_PORT
    return None


def parsed(text: str) -> tuple[str, int]:
    """`203.0.113.9:53` as address and port. Raises ValueError with what is wrong."""
    address, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError("it needs a port from 1 to 65535, as in 203.0.113.9:53")
    return str(IPv4Address(address)), int(port)


def _resolvers(root: Path) -> Iterator[IPv4Address]:
    for name in _FILES:
        try:
            lines = (root / name).read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                try:
                    yield IPv4Address(words[1])
                except ValueError:  # IPv6
                    continue
