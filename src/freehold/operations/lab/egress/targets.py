"""Where the lab's egress leads, and where not: nowhere near this computer. Pure; called by `gate.py`.

Special networks: IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890). Networks that are
merely reserved for documentation or benchmarks are open: some computers reach their mirrors through those.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

WEB_PORTS = frozenset({80, 443})
_DEFAULT_PORTS = {"http": 80, "https": 443}

_CLOSED: Mapping[str, tuple[str, ...]] = {
    "this computer": ("0.0.0.0/8", "127.0.0.0/8", "::/96"),
    "a private network": (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10",
    ),
    "a link-local network": ("169.254.0.0/16", "fe80::/10"),
    "no single host": ("224.0.0.0/4", "240.0.0.0/4", "ff00::/8"),
    "behind a translation that hides the real address": ("2001::/32", "64:ff9b:1::/48"),
}  # fmt: skip
_CLOSED_NETWORKS = tuple(
    (ip_network(text), what) for what, texts in _CLOSED.items() for text in texts
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


@dataclass(frozen=True, slots=True)
class Target:
    """A host, by name (lower case) or address (without brackets), and a TCP port of it."""

    host: str
    port: int

    @classmethod
    def of_address(cls, address: str) -> "Target":
        """The server of an http or https address. Raises ValueError when the text is no such address."""
        parts = urlsplit(address)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError("not an http address")
        return cls(parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])

    @classmethod
    def of_authority(cls, authority: str) -> "Target":
        """`host:port` as CONNECT names it (RFC 9110, 9.3.6). Raises ValueError when the text is nothing like it."""
        parts = urlsplit(f"//{authority}")
        if not parts.hostname or parts.port is None or parts.path or "@" in authority:
            raise ValueError("not host:port")
        return cls(parts.hostname, parts.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def why_closed(address: IPAddress, own: Iterable[IPNetwork]) -> str | None:
    """What is at an address that egress does not lead to, None for an open one. `own`: this computer's own networks."""
    address = _behind(address)
    for network, what in _CLOSED_NETWORKS:
        if address in network:
            return what
    return "this computer's own network" if any(address in network for network in own) else None


def _behind(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64); any other as it is."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def literal(host: str) -> IPAddress | None:
    """The address that a host is written as, None when it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
