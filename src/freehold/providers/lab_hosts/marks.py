"""How the lab's hosts are told from all else in its Incus: marks of their own, which no other provider takes for its own.

What is marked as an estate's `user.freehold.estate` belongs to its domains. Used by the modules beside this one.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from freehold.model.names import interface_name

ESTATE = "user.freehold.lab-hosts"
DECLARED = "user.freehold.declared"  # the address as infra.yml has it, which may be a name
DELIVERED = "user.freehold.delivered"  # JSON: with which way in the host was handed over
PACKAGES = "user.freehold.packages"  # JSON: the variables of its way to packages
_KEPT = ("volatile.", "image.", "user.")


def project_name(estate: str) -> str:
    """The project of an estate's hosts. No domain's name has a dot."""
    return f"hosts.{estate}"


def bridge_name(estate: str, network: str) -> str:
    """The bridge of one network, at most 15 characters."""
    return interface_name("lab", f"{estate}-{network}")


def owner(config: Mapping[str, str]) -> str | None:
    """The estate whose host, network or project it is; None for all else."""
    return config.get(ESTATE)


def declared(config: Mapping[str, str]) -> dict[str, str]:
    """The part of a config that Freehold wants so: neither the server's own keys nor marks."""
    return {key: value for key, value in config.items() if not key.startswith(_KEPT)}


def kept(config: Mapping[str, str]) -> dict[str, str]:
    """The rest of it."""
    return {key: value for key, value in config.items() if key.startswith(_KEPT)}


def written(fields: Mapping[str, Any]) -> str:
    """Fields as a mark holds them."""
    return json.dumps(dict(fields), sort_keys=True)


def read(text: str | None) -> dict[str, Any]:
    """Fields of a mark; none where there is no mark, or one that somebody damaged: then they are written anew."""
    with suppress(ValueError):
        found = json.loads(text or "")
        if isinstance(found, dict):
            return found
    return {}
