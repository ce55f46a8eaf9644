"""Which address a computer of `hosts` has in the lab. Pure; used by the provider of lab hosts and by the relay of SSH.

Both find it alike and by themselves, so that nothing has to be written down between them.
"""

import hashlib
from ipaddress import IPv4Address, IPv4Network, ip_address

OWN_NETWORK = IPv4Network("198.18.0.0/15")
"""Of computers whose address is a DNS name, or none that a bridge can carry: set apart for trials (RFC 2544, appendix C.2.2)."""

_PREFIX = 24  # computers whose addresses agree this far share a bridge


def played_address(declared: str) -> IPv4Address:
    """The declared address where a bridge can carry it, else one of the lab's own that always follows from the name."""
    address = _ipv4(declared)
    if address is not None and _fits_a_bridge(address):
        return address
    digest = hashlib.sha256(declared.lower().encode()).digest()
    number = int.from_bytes(digest[:8]) % (OWN_NETWORK.num_addresses - 3)
    return OWN_NETWORK.network_address + 2 + number  # the first is the gateway, the last for all


def is_named(declared: str) -> bool:
    """Whether the address is a DNS name."""
    try:
        ip_address(declared)
    except ValueError:
        return True
    return False


def played_network(address: IPv4Address) -> IPv4Network:
    """The network of the bridge that carries this address."""
    if address in OWN_NETWORK:
        return OWN_NETWORK
    return IPv4Network((address, _PREFIX), strict=False)


def _ipv4(declared: str) -> IPv4Address | None:
    try:
        return IPv4Address(declared)
    except ValueError:
        return None


def _fits_a_bridge(address: IPv4Address) -> bool:
    """Not an address that has a meaning of its own everywhere, nor one that a /24 keeps for itself."""
    special = address.is_loopback or address.is_link_local or address.is_multicast
    first = int(address) & 0xFF
    return not (special or address.is_reserved or address.is_unspecified) and first not in (0, 255)
