"""The inventory: who there is, how each is reached, and who has which role. Called by `tree`.

Machines and domains are hosts: infrastructure roles run on `DOMAIN.domain`, beside Incus, once per domain, so that
`--limit DOMAIN` works and nothing needs `run_once`. A dot cannot be in a machine's name.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from freehold.config.collection import BUILT_IN, COLLECTION, FIRST
from freehold.model import Infra, Machine

DOMAINS = "freehold_domains"
MACHINES = "freehold_machines"
PROVISIONED = "freehold_provisioned"

CONNECTION = f"{COLLECTION}.incus"


def domain_host(domain: str) -> str:
    """The host on which the roles of a domain run."""
    return f"{domain}.domain"


def role_group(role: str) -> str:
    """The group of the machines that have a role. No domain's name has an underscore."""
    return f"role_{role}"


def roles_of(machine: Machine) -> list[str]:
    """What runs in a machine, as infra.yml names it, in order."""
    built_in = [BUILT_IN] if machine.provision.built_in else []
    return _in_order([*built_in, *machine.provision.roles])


def roles_in_order(infra: Infra) -> list[str]:
    """Every role that some machine has, in the order in which they run."""
    return _in_order(role for machine in infra.machines() for role in roles_of(machine))


def _in_order(roles: Iterable[str]) -> list[str]:
    """The base of the system, then what `provision` lists, then as first mentioned."""
    return sorted(
        dict.fromkeys(roles),
        key=lambda role: (role.removeprefix(f"{COLLECTION}.") != FIRST, role != BUILT_IN),
    )


def groups_of(infra: Infra, machine: Machine) -> list[str]:
    """The groups that a machine is in, `all` first."""
    inside = [PROVISIONED] if machine.provision.asks else []
    roles = [role_group(role) for role in roles_of(machine)]
    return ["all", MACHINES, *inside, machine.domain, *roles]


def inventory(infra: Infra) -> dict[str, Any]:
    """`inventory/hosts.yml`, between the marks."""
    groups: dict[str, Any] = {
        DOMAINS: _hosts({domain_host(domain.name): _LOCAL for domain in infra.domains}),
        MACHINES: _hosts({each.instance: _reached(each) for each in infra.machines()}),
    }
    for name, members in _memberships(infra):
        groups[name] = _hosts({member: {} for member in members})
    return {"all": {"children": groups}}


def shown_inventory(section: Mapping[str, Any]) -> dict[str, Any]:
    """As a plan shows it: the hosts of each group. Raises what a file that is no inventory makes it raise."""
    children = section["all"]["children"]
    return {name: list(group["hosts"]) for name, group in children.items()}


def _memberships(infra: Infra) -> Iterator[tuple[str, Iterable[str]]]:
    for domain in infra.domains:
        yield domain.name, [domain_host(domain.name), *(m.instance for m in domain.machines)]
    if inside := [machine.instance for machine in infra.machines() if machine.provision.asks]:
        yield PROVISIONED, inside
    for role in roles_in_order(infra):
        yield role_group(role), [m.instance for m in infra.machines() if role in roles_of(m)]


_LOCAL = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}


def _reached(machine: Machine) -> dict[str, str]:
    return {
        "ansible_connection": CONNECTION,
        "ansible_host": machine.instance,
        "ansible_incus_project": machine.domain,
    }


def _hosts(hosts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {"hosts": {name: dict(variables) for name, variables in hosts.items()}}
