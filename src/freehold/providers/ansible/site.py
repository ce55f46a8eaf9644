"""The playbooks site.yml and snapshot.yml, ansible.cfg and requirements.yml between their marks. Called by `tree`.

First a domain's objects in Incus, then a play for each role on the machines that have it. Whatever is not named here by
`--tags` or `--limit` is not even connected to.
"""

import configparser
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from freehold.config.collection import BUILT_IN, COLLECTION
from freehold.config.yaml_text import as_yaml
from freehold.model import Infra
from freehold.providers.ansible.inventory import (
    DOMAINS,
    MACHINES,
    PROVISIONED,
    role_group,
    roles_in_order,
)

_INFRASTRUCTURE = ("projects", "networks", "profiles", "storage", "nftables", "instances")
_NEED_NO_FACTS = frozenset({BUILT_IN})

_PYTHON = """\
test -x /usr/bin/python3 ||
{ export DEBIAN_FRONTEND=noninteractive;
apt-get update && apt-get install --yes --no-install-recommends python3 python3-apt && echo installed python3; }"""
"""Images of Debian come without Python, which all but two of Ansible's modules need."""


def plays(infra: Infra, own_roles: Collection[str]) -> list[dict[str, Any]]:
    """The plays. A role named shortly is the estate's own where `roles/` has it, else one that comes with Freehold."""
    roles = roles_in_order(infra)
    needs = [_python()] if roles else []
    return [_infrastructure(), *needs, *(_role(role, own_roles) for role in roles)]


def snapshot_plays() -> list[dict[str, Any]]:
    """Those of `snapshot.yml`: snapshots of the machines that it is run for."""
    return [
        {
            "name": "Snapshots of machines with their volumes",
            "hosts": MACHINES,
            "gather_facts": False,
            "roles": [{"role": f"{COLLECTION}.incus_snapshots"}],
        }
    ]


def playbook(wanted: Iterable[Mapping[str, Any]]) -> str:
    """A playbook, with a blank line between plays."""
    return "\n".join(as_yaml([play]) for play in wanted)


def shown_plays(found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """As a plan shows them: each play and its hosts."""
    return {str(play["name"]): str(play["hosts"]) for play in found}


def _infrastructure() -> dict[str, Any]:
    roles = [
        {"role": f"{COLLECTION}.incus_{part}", "tags": ["infra", part, f"incus_{part}"]}
        for part in _INFRASTRUCTURE
    ]
    return {
        "name": "What domains have in Incus",
        "hosts": DOMAINS,
        "gather_facts": False,
        "roles": roles,
    }


def _python() -> dict[str, Any]:
    install = {
        "name": "Install Python where it is missing",
        "ansible.builtin.raw": _PYTHON,
        "register": "site_python",
        "changed_when": "site_python.stdout | default('') is search('installed python3')",
    }
    return {
        "name": "What Ansible itself needs in machines",
        "hosts": PROVISIONED,
        "gather_facts": False,
        "tags": ["provision"],
        "tasks": [install],
    }


def _role(role: str, own_roles: Collection[str]) -> dict[str, Any]:
    short = role.rpartition(".")[2]
    is_own = role in own_roles and role != BUILT_IN
    return {
        "name": f"Role {role}",
        "hosts": role_group(role),
        "gather_facts": role not in _NEED_NO_FACTS,
        "tags": list(dict.fromkeys(["provision", role if is_own else short])),
        "roles": [{"role": role if is_own or "." in role else f"{COLLECTION}.{role}"}],
    }


SETTINGS = {
    "inventory": "inventory",
    "interpreter_python": "/usr/bin/python3",
    "gathering": "smart",
    "pipelining": "true",
    "force_valid_group_names": "ignore",
    "callbacks_enabled": "freehold.estate.warm_up",
}
"""A folder of inventories, so that users can add theirs; no search for Python; facts once; hyphens in groups' names; workers that
need not do again what Ansible's own process has done."""


def settings() -> str:
    """`ansible.cfg`."""
    lines = [f"{name} = {value}" for name, value in SETTINGS.items()]
    return "\n".join(["[defaults]", *lines, ""])


def read_settings(part: str) -> dict[str, str]:
    """Those of `[defaults]`, as a plan shows them."""
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    parser.read_string(part)
    return dict(parser["defaults"])


def requirements(infra: Infra, own_roles: Collection[str]) -> dict[str, Any]:
    """`requirements.yml`: the collections of roles that infra.yml names in full. Freehold's own comes with Freehold."""
    found = sorted(set(_collections(infra, own_roles)))
    return {"collections": [{"name": name} for name in found]} if found else {}


NO_REQUIREMENTS = (
    "# infra.yml names no role of a collection; freehold.estate comes with Freehold.\n"
)


def shown_requirements(part: Mapping[str, Any] | None) -> list[str]:
    """As a plan shows them."""
    return [str(each["name"]) for each in (part or {}).get("collections", [])]


def _collections(infra: Infra, own_roles: Collection[str]) -> Iterator[str]:
    for role in roles_in_order(infra):
        collection = role.rpartition(".")[0]
        if role not in own_roles and collection.count(".") == 1 and collection != COLLECTION:
            yield collection
