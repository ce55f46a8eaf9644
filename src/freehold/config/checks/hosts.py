"""Computers reached by SSH: names that mean one thing, and no two that are one computer."""

from collections.abc import Iterator

from freehold.config.checks.context import DOMAINS, HOSTS, Context, key_of
from freehold.config.checks.names import labels
from freehold.config.collection import COLLECTION
from freehold.config.hosts import HostPart, SshPart
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic
from freehold.model.names import RESERVED_DOMAINS, instance_name

_OF_MACHINES = frozenset({"control"})
"""Roles of the collection that have no meaning outside of Incus."""


def host_names(context: Context) -> Iterator[Diagnostic]:
    """As domains may be called, and no host like a domain or like a machine's instance."""
    yield from labels(context, HOSTS, RESERVED_DOMAINS)
    instances = {
        instance_name(domain, machine): (*DOMAINS, domain, "machines", machine)
        for domain in context.tree.names(DOMAINS)
        for machine in context.tree.names((*DOMAINS, domain, "machines"))
    }
    domains = frozenset(context.tree.names(DOMAINS))
    for name in context.tree.names(HOSTS):
        if name in domains:
            detail = f"`{name}` is a domain too ({context.line((*DOMAINS, name))})."
            yield context.at_key((*HOSTS, name), "host-name-taken", detail)
        elif machine := instances.get(name):
            detail = f"`{name}` is the instance of {key_of(machine)} too ({context.line(machine)})."
            yield context.at_key((*HOSTS, name), "host-name-taken", detail)


def host_addresses(context: Context) -> Iterator[Diagnostic]:
    """No two hosts behind one address and port, by any of their ways in."""
    taken: dict[tuple[str, int], KeyPath] = {}
    for path, host in context.hosts():
        here = {(host.address.lower(), port) for port in _ports(context, path, host)}
        for address, port in sorted(here & taken.keys()):
            other = taken[address, port]
            detail = f"`{other[1]}` ({context.line(other)}) is at {address}, port {port}, too."
            yield context.at((*path, "address"), "host-address-taken", detail)
        taken = {**dict.fromkeys(here, path), **taken}


def first_ways(context: Context) -> Iterator[Diagnostic]:
    """`first` is another way in than `ssh`."""
    for path, host in context.hosts():
        if host.first is not None and _said(host.first) == _said(host.ssh):
            yield context.at_key((*path, "first"), "first-like-ssh", "Both say the same.")


def host_roles(context: Context) -> Iterator[Diagnostic]:
    """Roles that only a machine can have."""
    for path, host in context.hosts():
        for index, role in enumerate(host.provision.roles):
            if role.removeprefix(f"{COLLECTION}.") in _OF_MACHINES:
                detail = f"`{role}` makes a machine of Incus one from which the estate is managed."
                yield context.at((*path, "provision", "roles", index), "role-not-for-hosts", detail)


def _said(ssh: SshPart) -> tuple[str, int, str | None]:
    return ssh.user, ssh.port, ssh.key


def _ports(context: Context, path: KeyPath, host: HostPart) -> Iterator[int]:
    """Of its ways in, as far as they could be understood."""
    if "address" in host.model_fields_set and context.understood((*path, "ssh"), host):
        yield host.ssh.port
    if host.first is not None:
        yield host.first.port
