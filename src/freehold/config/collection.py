"""The Ansible collection that comes with Freehold, as far as infra.yml can name it. Used by `checks.roles` and `providers.ansible`."""

from functools import cache
from pathlib import Path

import freehold

COLLECTION = "freehold.estate"
BUILT_IN = "provision"
"""The role that carries out what `provision` lists; it runs without being named."""

FIRST = "base_system"
"""The role that runs before all others in a machine."""

_OF_THE_DOMAIN = "incus_"
"""How roles begin that make a domain's Incus objects; they run beside Incus."""


def collection_folder() -> Path:
    """Where the collection lies: beside the package, installed as in the source tree."""
    return Path(freehold.__file__).parents[1] / "ansible_collections" / "freehold" / "estate"


def roles_in(folder: Path) -> frozenset[str]:
    """Names of the roles in this folder; none when it cannot be read."""
    try:
        return frozenset(entry.name for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return frozenset()


@cache
def shipped_roles() -> frozenset[str]:
    """Short names of the collection's roles."""
    return roles_in(collection_folder() / "roles")


def runs_by_name(role: str) -> bool:
    """Whether `roles` may name this one of the collection's."""
    return role != BUILT_IN and not role.startswith(_OF_THE_DOMAIN)
