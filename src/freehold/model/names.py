"""How Freehold names what it creates. Used by config (to check names) and by providers (to make them)."""

import hashlib
import re

INTERFACE_NAME_LIMIT = 15  # IFNAMSIZ - 1, linux/if.h
INSTANCE_NAME_LIMIT = 63  # a DNS label, RFC 1035 section 2.3.4

_LABEL = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")

RESERVED_DOMAINS = frozenset({
    "all", "default", "host", "internet", "local", "localhost", "none", "self", "ungrouped",
})  # fmt: skip
"""Words that policies, the command line, Incus or Ansible already give a meaning."""


def is_dns_label(name: str) -> bool:
    """Whether `name` is a lower-case DNS label that starts with a letter (RFC 1035, 2.3.1), as Incus asks too."""
    return len(name) <= INSTANCE_NAME_LIMIT and _LABEL.fullmatch(name) is not None


def instance_name(domain: str, machine: str) -> str:
    """The name of a machine's instance in Incus: `homelab-llm`."""
    return f"{domain}-{machine}"


def bridge_name(domain: str) -> str:
    """The name of a domain's bridge, at most 15 characters; a longer one ends in a stable hash of the whole."""
    return interface_name("net", domain)


def interface_name(prefix: str, name: str) -> str:
    """`PREFIX-NAME` as the name of an interface, shortened as `bridge_name` says."""
    whole = f"{prefix}-{name}"
    if len(whole) <= INTERFACE_NAME_LIMIT:
        return whole
    digest = hashlib.sha256(name.encode()).hexdigest()[:5]
    return f"{whole[: INTERFACE_NAME_LIMIT - 6]}-{digest}"


def service_bridge(estate: str, network: str) -> str:
    """The name of the bridge of a network of services on its target: `svc-maison_web`, shortened like a domain's."""
    return interface_name("svc", f"{estate}_{network}")


def volume_name(machine: str, volume: str) -> str:
    """The name of a machine's volume in its project: `llm.models` (the dot occurs in neither part)."""
    return f"{machine}.{volume}"


def hardware_address(estate: str, instance: str) -> str:
    """The MAC address of a machine: a stable function of its names, so that it survives being created again.

    The prefix is the one Incus uses for its own (internal/server/instance/drivers: 10:66:6a).
    """
    digest = hashlib.sha256(f"{estate}/{instance}".encode()).digest()
    return "10:66:6a:" + ":".join(f"{byte:02x}" for byte in digest[:3])
