"""The estate that benchmarks/firewall.py loads rules for, and what else there is to load: Incus's NAT, a rule for each pair.

Two domains in its middle may talk; every other domain may ask the machine of the next one for a few ports.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network

from freehold.model import Domain, Infra, Machine, Policy, Protocol, Trust
from freehold.model.addresses import domain_subnet, host

BASE = IPv4Network("10.0.0.0/8")
MACHINE = "m"
NAT = f"""table ip incus {{
    chain pstrt {{
        type nat hook postrouting priority srcnat;
        ip saddr {BASE} ip daddr != {BASE} masquerade
    }}
}}
"""
"""What makes the kernel keep track of connections on every host with an Incus bridge."""


def estate(domains: int) -> Infra:
    """So many domains of one machine, the first one admin."""
    every = tuple(map(_domain, range(domains)))
    asks = [_asks(every[n], every[n + 1]) for n in range(1, domains - 1)]
    return Infra(name="bench", base=BASE, domains=every, policies=(*asks, *_talk(*talking(every))))


def talking(domains: tuple[Domain, ...]) -> tuple[Domain, Domain]:
    """The two that may: half of all pairs stand before them, which is the mean way through a list of pairs."""
    middle = len(domains) // 2
    return domains[middle], domains[middle + 1]


def _domain(number: int) -> Domain:
    name, subnet = f"d{number:04}", domain_subnet(BASE, number)
    machine = Machine(domain=name, name=MACHINE, image="debian/13", address=host(subnet, 10))
    trust = Trust.SEMI_TRUSTED if number else Trust.ADMIN
    return Domain(name=name, subnet_id=number, subnet=subnet, trust=trust, machines=(machine,))


def _asks(source: Domain, target: Domain) -> Policy:
    ports = ((443, 443), (8000, 8100))
    return Policy(source=source.name, target=f"{target.name}/{MACHINE}", protocol=Protocol.TCP, ports=ports)  # fmt: skip


def _talk(source: Domain, target: Domain) -> Iterator[Policy]:
    for protocol in Protocol:
        ports = () if protocol is Protocol.ICMP else ((5000, 6000),)
        yield Policy(source=source.name, target=target.name, protocol=protocol, ports=ports)


def pairs(infra: Infra, *, known_first: bool) -> str:
    """A rule for each pair of domains, for nft(8); `known_first` lets what belongs to open connections pass before."""
    bridges = [domain.bridge for domain in infra.domains]
    talk = {domain.bridge for domain in talking(infra.domains)}
    lines = ["table inet pairs {", "chain forward {", "type filter hook forward priority filter;"]
    if known_first:
        lines.append("ct state established,related accept")
    lines += [
        _rule(source, target, "accept" if {source, target} == talk else "drop")
        for source in bridges
        for target in bridges
        if source != target
    ]
    return "\n".join([*lines, "}", "}", ""])


def pairs_of_one_more(infra: Infra) -> str:
    """The rules that a further domain adds to those."""
    new = "net-further"
    both = [
        rule
        for domain in infra.domains
        for rule in (_rule(domain.bridge, new, "drop"), _rule(new, domain.bridge, "drop"))
    ]
    return "".join(f"add rule inet pairs forward {rule}\n" for rule in both)


def _rule(source: str, target: str, verdict: str) -> str:
    return f'iifname "{source}" oifname "{target}" {verdict}'
