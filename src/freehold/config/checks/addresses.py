"""Machines' addresses: in their domain's network, not reserved, unique, and enough of them."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from freehold.config.checks.context import Context, key_of
from freehold.config.document import DomainPart
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic
from freehold.model.addresses import (
    FIRST_ALLOCATED_HOST,
    FIRST_DHCP_HOST,
    GATEWAY_HOST,
    LAST_DHCP_HOST,
    LAST_STATIC_HOST,
    allocatable_count,
    domain_subnet,
    subnet_count,
)


def addresses(context: Context) -> Iterator[Diagnostic]:
    """Every declared address. Domains without a usable subnet_id are left to the check of those."""
    first: dict[IPv4Address, KeyPath] = {}
    for path, _, domain in context.domains():
        subnet = _subnet(context, domain)
        for name, machine in domain.machines.items():
            if machine.ip is None:
                continue
            here = (*path, "machines", name, "ip")
            if subnet is not None and (wrong := _misplaced(context, here, machine.ip, subnet)):
                yield wrong
            elif other := first.get(machine.ip):
                detail = f"{machine.ip} is the address of {key_of(other)} already ({context.line(other)})."
                yield context.at(here, "address-taken", detail, _free_hint(domain, subnet))
            first.setdefault(machine.ip, here)


def enough_addresses(context: Context) -> Iterator[Diagnostic]:
    """A domain's machines without an address must find one between .10 and .199."""
    for path, name, domain in context.domains():
        declared = {machine.ip for machine in domain.machines.values() if machine.ip is not None}
        waiting = sum(machine.ip is None for machine in domain.machines.values())
        in_the_way = sum(
            FIRST_ALLOCATED_HOST <= int(ip) & 0xFF <= LAST_STATIC_HOST for ip in declared
        )
        free = allocatable_count() - in_the_way
        if waiting > free:
            detail = f"Domain `{name}` has {waiting} machines without an address, and {free} addresses for them."
            yield context.at_key((*path, "machines"), "too-many-machines", detail)


def _subnet(context: Context, domain: DomainPart) -> IPv4Network | None:
    base, number = context.base, domain.subnet_id
    if base is None or number is None or number >= subnet_count(base):
        return None
    return domain_subnet(base, number)


def _misplaced(
    context: Context, path: KeyPath, address: IPv4Address, subnet: IPv4Network
) -> Diagnostic | None:
    if address not in subnet:
        detail = f"{address} does not lie in {subnet}, the network of domain `{path[1]}`."
        inside = subnet.network_address + (int(address) & 0xFF)
        hint = f"Did you mean `{inside}`?" if _role(int(inside) & 0xFF) is None else None
        return context.at(path, "address-outside-subnet", detail, hint)
    if role := _role(int(address) & 0xFF):
        detail = f"{address} {role}."
        return context.at(path, "address-reserved", detail)
    return None


def _role(host: int) -> str | None:
    """What an address of a /24 is for, when it is not for a machine."""
    if host == 0:
        return "names the network itself"
    if host == GATEWAY_HOST:
        return "is the gateway of the domain"
    if FIRST_DHCP_HOST <= host <= LAST_DHCP_HOST:
        return f"lies in the range that DHCP gives out (.{FIRST_DHCP_HOST} to .{LAST_DHCP_HOST}), so another instance could get it"
    return "is the broadcast address" if host > LAST_DHCP_HOST else None


def _free_hint(domain: DomainPart, subnet: IPv4Network | None) -> str | None:
    if subnet is None:
        return None
    taken = {machine.ip for machine in domain.machines.values()}
    candidates = (
        subnet.network_address + n for n in range(FIRST_ALLOCATED_HOST, LAST_STATIC_HOST + 1)
    )
    free = next((address for address in candidates if address not in taken), None)
    return (
        f"Free is for example `{free}`; or leave `ip` out to have one allocated." if free else None
    )
