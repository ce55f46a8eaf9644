"""Which addresses a domain has, and which machine gets which. Pure; used by config's checks and by the provider.

Each domain owns one /24 of the estate's base network. `.1` is the gateway, `.2`-`.199` are for machines
(declared, or allocated here), `.200`-`.254` are the bridge's DHCP range for instances that Freehold does not know.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network

GATEWAY_HOST = 1
FIRST_ALLOCATED_HOST = 10  # below it: room for addresses that people like to give by hand
LAST_STATIC_HOST = 199
FIRST_DHCP_HOST = 200
LAST_DHCP_HOST = 254


def subnet_count(base: IPv4Network) -> int:
    """How many /24 networks fit into the estate's base network: subnet_id is below it."""
    return 1 << (24 - base.prefixlen)


def domain_subnet(base: IPv4Network, subnet_id: int) -> IPv4Network:
    """The /24 with this number inside the base network. Raises ValueError when it lies outside."""
    if not 0 <= subnet_id < subnet_count(base):
        raise ValueError(f"subnet_id {subnet_id} lies outside {base}")
    return IPv4Network((int(base.network_address) + (subnet_id << 8), 24))


def host(subnet: IPv4Network, number: int) -> IPv4Address:
    """The address `number` of a /24."""
    return subnet.network_address + number


def allocatable_count() -> int:
    """How many machines without a declared address a domain can hold at the most."""
    return LAST_STATIC_HOST - FIRST_ALLOCATED_HOST + 1


def allocate(
    subnet: IPv4Network,
    machines: Iterable[str],
    held: Mapping[str, IPv4Address],
    taken: Collection[IPv4Address],
) -> dict[str, IPv4Address]:
    """An address for each machine that declares none.

    `held` is what machines have already and keep; `taken` is what others have. A new machine starts at a place
    given by its own name and takes the next free one, so that neither adding nor removing a neighbour moves it,
    and the same file gives the same addresses on an empty host. Raises ValueError when the subnet is full.
    """
    result: dict[str, IPv4Address] = {}
    used = set(taken)
    waiting = []
    for machine in sorted(machines):
        address = held.get(machine)
        if address is not None and address in subnet and address not in used:
            result[machine] = address
            used.add(address)
        else:
            waiting.append(machine)
    for machine in waiting:
        result[machine] = _first_free(subnet, machine, used)
        used.add(result[machine])
    return result


def _first_free(subnet: IPv4Network, machine: str, used: Collection[IPv4Address]) -> IPv4Address:
    count = allocatable_count()
    start = int.from_bytes(hashlib.sha256(machine.encode()).digest()[:4]) % count
    for step in range(count):
        candidate = host(subnet, FIRST_ALLOCATED_HOST + (start + step) % count)
        if candidate not in used:
            return candidate
    raise ValueError(f"no free address left in {subnet}")
