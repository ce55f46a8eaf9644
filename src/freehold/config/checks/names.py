"""Names that users choose: what Incus, DNS and the kernel accept, and no two that become one."""

import re
from collections.abc import Iterator

from freehold.config.checks.context import DOMAINS, Context, key_of
from freehold.config.places import KeyPath, PlacedMap
from freehold.diagnostics import Diagnostic
from freehold.model.gpu import GpuProfile
from freehold.model.names import (
    INSTANCE_NAME_LIMIT,
    RESERVED_DOMAINS,
    bridge_name,
    instance_name,
    is_dns_label,
)
from freehold.model.virtual_machines import VM_PROFILE

RESERVED_PROFILES = frozenset({"default", VM_PROFILE.name, *GpuProfile})
RESERVED_DEVICES = frozenset({"root", "eth0", "gpu", "kfd", *VM_PROFILE.devices})
"""Devices that Freehold gives to machines; volumes become devices too."""

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def estate_name(context: Context) -> Iterator[Diagnostic]:
    """The name of the estate goes into marks and names as well."""
    name = context.document.name
    if name is not None and not is_dns_label(name):
        yield context.at(("name",), "invalid-name", _why(name), _better(name))


def names(context: Context) -> Iterator[Diagnostic]:
    """Domains, machines, profiles, volumes and devices; from the tree, so that names of wrong parts count too."""
    yield from labels(context, DOMAINS, RESERVED_DOMAINS)
    yield from labels(context, ("services",), RESERVED_DOMAINS)
    for domain in context.tree.names(DOMAINS):
        path = (*DOMAINS, domain)
        yield from labels(context, (*path, "machines"), frozenset())
        yield from labels(context, (*path, "profiles"), RESERVED_PROFILES)
        for machine in context.tree.names((*path, "machines")):
            volumes = (*path, "machines", machine, "volumes")
            yield from labels(context, volumes, RESERVED_DEVICES)
        for profile in context.tree.names((*path, "profiles")):
            yield from _devices(context, (*path, "profiles", profile, "devices"))


def instance_names(context: Context) -> Iterator[Diagnostic]:
    """DOMAIN-MACHINE is short enough and unique over all domains."""
    first: dict[str, KeyPath] = {}
    for domain in context.tree.names(DOMAINS):
        for machine in context.tree.names((*DOMAINS, domain, "machines")):
            path = (*DOMAINS, domain, "machines", machine)
            name = instance_name(domain, machine)
            if (
                len(machine) <= INSTANCE_NAME_LIMIT < len(name)
                and len(domain) <= INSTANCE_NAME_LIMIT
            ):
                detail = f"`{name}` has {len(name)} characters; {INSTANCE_NAME_LIMIT} are possible."
                yield context.at_key(path, "instance-name-too-long", detail)
            if other := first.get(name):
                detail = f"{key_of(path)} and {key_of(other)} ({context.line(other)}) would both be `{name}`."
                yield context.at_key(path, "instance-name-taken", detail)
            first.setdefault(name, path)


def inventory_names(context: Context) -> Iterator[Diagnostic]:
    """To Ansible a domain is a group and an instance a host: one name cannot be both."""
    domains = frozenset(context.tree.names(DOMAINS))
    for domain in domains:
        for machine in context.tree.names((*DOMAINS, domain, "machines")):
            if (name := instance_name(domain, machine)) in domains:
                detail = f"The instance of {domain}/{machine} and the domain ({context.line((*DOMAINS, name))}) are both `{name}`."
                path = (*DOMAINS, domain, "machines", machine)
                yield context.at_key(path, "inventory-name-taken", detail)


def bridge_names(context: Context) -> Iterator[Diagnostic]:
    """No two domains whose bridges have one name after shortening."""
    first: dict[str, str] = {}
    for domain in context.tree.names(DOMAINS):
        other = first.setdefault(bridge_name(domain), domain)
        if other != domain:
            detail = f"Domains `{domain}` and `{other}` ({context.line((*DOMAINS, other))}) both get the bridge `{bridge_name(domain)}`."
            yield context.at_key((*DOMAINS, domain), "bridge-name-taken", detail)


def labels(context: Context, parent: KeyPath, reserved: frozenset[str]) -> Iterator[Diagnostic]:
    """The names below `parent`: DNS labels, none of those that are reserved."""
    mapping = context.tree.get(parent)
    if not isinstance(mapping, PlacedMap):
        return
    for name in mapping:
        path = (*parent, name)
        if mapping.is_ambiguous(name):
            yield _ambiguous(context, path, name)
        elif not is_dns_label(name):
            yield context.at_key(path, "invalid-name", _why(name), _better(name))
        elif name in reserved:
            words = ", ".join(f"`{word}`" for word in sorted(reserved))
            yield context.at_key(
                path,
                "reserved-name",
                f"`{name}` cannot be a name here.",
                f"Choose another name than {words}.",
            )


def _devices(context: Context, parent: KeyPath) -> Iterator[Diagnostic]:
    mapping = context.tree.get(parent)
    if not isinstance(mapping, PlacedMap):
        return
    for name in mapping:
        if mapping.is_ambiguous(name):
            yield _ambiguous(context, (*parent, name), name)
        elif not _DEVICE.fullmatch(name):
            detail = f"`{name}` is not a name for a device: letters, digits, `.`, `_` and `-`, at most 64."
            yield context.at_key((*parent, name), "invalid-name", detail)


def _ambiguous(context: Context, path: KeyPath, name: str) -> Diagnostic:
    quoted = f' or write `"{name}"`' if is_dns_label(name) else ""
    detail = f"Without quotes `{name}` is not text to every YAML parser."
    return context.at_key(path, "ambiguous-name", detail, f"Choose another name{quoted}.")


def _why(name: str) -> str:
    if not name:
        return "The name is empty."
    if len(name) > INSTANCE_NAME_LIMIT:
        return f"`{name}` has {len(name)} characters; {INSTANCE_NAME_LIMIT} are possible."
    return f"`{name}` is not made of lower-case letters, digits and hyphens, or does not begin with a letter and end with a letter or digit."


def _better(name: str) -> str | None:
    words = re.sub(r"[^a-z0-9]+", "-", name.lower())
    proposal = words.lstrip("-0123456789")[:INSTANCE_NAME_LIMIT].rstrip("-")
    return f"Write for example `{proposal}`." if is_dns_label(proposal) else None
