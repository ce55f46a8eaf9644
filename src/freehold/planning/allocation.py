"""Gives machines that declare no address the one they have already, or a free one. Called by `engine.planner`.

Every provider is then given an estate in which each machine has its address.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address

from freehold.diagnostics import ConfigError, Diagnostic
from freehold.model import Domain, Infra
from freehold.model.addresses import allocate
from freehold.planning.address import Address
from freehold.planning.resource import Observed

_HOLDERS = "instance"  # the kind whose claims are addresses of machines


def with_addresses(infra: Infra, observed: Mapping[Address, Observed]) -> Infra:
    """The same estate with an address for every machine. Raises ConfigError when a domain's subnet is full."""
    held = _held(observed)
    domains = (_allocated(domain, held.get(domain.name, {})) for domain in infra.domains)
    return replace(infra, domains=tuple(domains))


def _allocated(domain: Domain, held: Mapping[str, IPv4Address]) -> Domain:
    waiting = {machine.name for machine in domain.machines if machine.address is None}
    if not waiting:
        return domain
    declared = {machine.address for machine in domain.machines if machine.address is not None}
    others = {address for name, address in held.items() if name not in waiting}
    try:
        given = allocate(domain.subnet, waiting, held, declared | others)
    except ValueError as error:
        raise ConfigError(_full(domain)) from error
    machines = (
        replace(machine, address=given[machine.name]) if machine.name in given else machine
        for machine in domain.machines
    )
    return replace(domain, machines=tuple(machines))


def _held(observed: Mapping[Address, Observed]) -> Mapping[str, Mapping[str, IPv4Address]]:
    """What instances have, orphans included: by domain, machine name to address."""
    held: defaultdict[str, dict[str, IPv4Address]] = defaultdict(dict)
    for address, seen in observed.items():
        if address.kind == _HOLDERS:
            for claim in seen.claims:
                held[address.domain][address.name] = IPv4Address(claim)
    return held


def _full(domain: Domain) -> Diagnostic:
    return Diagnostic(
        code="subnet-full",
        summary="A domain has no free address left",
        detail=f"{domain.name} has more machines and orphans than {domain.subnet} has addresses for them.",
        hint="Delete orphans (`freehold orphans`), or move machines to another domain.",
    )
