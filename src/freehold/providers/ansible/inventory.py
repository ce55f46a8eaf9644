"""The inventory: who there is, how each is reached, and who has which role. Called by `tree`.

Machines, the hosts of infra.yml and domains are hosts: infrastructure roles run on `DOMAIN.domain`, beside Incus, once per domain, so that
`--limit DOMAIN` works and nothing needs `run_once`. A dot cannot be in a machine's name.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from freehold.config.collection import BUILT_IN, COLLECTION, FIRST
from freehold.model import Host, Infra, Machine

DOMAINS = "freehold_domains"
MACHINES = "freehold_machines"
HOSTS = "freehold_hosts"
PROVISIONED = "freehold_provisioned"

CONNECTION = f"{COLLECTION}.incus"

_SSH = """\
-o StrictHostKeyChecking=accept-new -o HashKnownHosts=no
-o 'UserKnownHostsFile="{{ inventory_dir }}/../.freehold/known_hosts" ~/.ssh/known_hosts'"""
"""Host keys as Freehold keeps them (`system.targets.way`), for who runs `ansible-playbook` by hand."""

Inhabited = Machine | Host
"""What something goes inside of."""


def domain_host(domain: str) -> str:
    """The host on which the roles of a domain run."""
    return f"{domain}.domain"


def role_group(role: str) -> str:
    """The group of the machines that have a role. No domain's name has an underscore."""
    return f"role_{role}"


def inhabited(infra: Infra) -> Iterator[Inhabited]:
    """All machines, then all hosts."""
    yield from infra.machines()
    yield from infra.hosts


def inventory_name(each: Inhabited) -> str:
    """What Ansible calls it."""
    return each.instance if isinstance(each, Machine) else each.name


def roles_of(each: Inhabited) -> list[str]:
    """What runs in it, as infra.yml names it, in order."""
    built_in = [BUILT_IN] if each.provision.built_in else []
    return _in_order([*built_in, *each.provision.roles])


def roles_in_order(infra: Infra) -> list[str]:
    """Every role that some machine or host has, in the order in which they run."""
    return _in_order(role for each in inhabited(infra) for role in roles_of(each))


def _in_order(roles: Iterable[str]) -> list[str]:
    """The base of the system, then what `provision` lists, then as first mentioned."""
    return sorted(
        dict.fromkeys(roles),
        key=lambda role: (role.removeprefix(f"{COLLECTION}.") != FIRST, role != BUILT_IN),
    )


def groups_of(each: Inhabited) -> list[str]:
    """The groups that it is in, `all` first."""
    inside = [PROVISIONED] if each.provision.asks else []
    roles = [role_group(role) for role in roles_of(each)]
    if isinstance(each, Host):
        return ["all", HOSTS, *inside, *roles]
    return ["all", MACHINES, *inside, each.domain, *roles]


def inventory(infra: Infra) -> dict[str, Any]:
    """`inventory/hosts.yml`, between the marks."""
    groups: dict[str, Any] = {
        DOMAINS: _hosts({domain_host(domain.name): _LOCAL for domain in infra.domains}),
        MACHINES: _hosts({each.instance: _reached(each) for each in infra.machines()}),
    }
    if infra.hosts:
        groups[HOSTS] = _hosts({each.name: _reached_by_ssh(each) for each in infra.hosts})
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
    if inside := [inventory_name(each) for each in inhabited(infra) if each.provision.asks]:
        yield PROVISIONED, inside
    for role in roles_in_order(infra):
        members = [inventory_name(each) for each in inhabited(infra) if role in roles_of(each)]
        yield role_group(role), members


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


def _reached_by_ssh(host: Host) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ansible_connection": "ssh",
        "ansible_host": host.address,
        "ansible_port": host.ssh.port,
        "ansible_user": host.ssh.user,
    }
    if host.ssh.key is not None:
        found["ansible_ssh_private_key_file"] = _key_file(host.ssh.key)
    if host.ssh.user != "root":
        found["ansible_become"] = True
    return {**found, "ansible_ssh_common_args": _SSH.replace("\n", " ")}


def _key_file(key: str) -> str:
    """A relative path is one in the estate's folder."""
    return key if key.startswith(("/", "~")) else f"{{{{ inventory_dir }}}}/../{key}"


def _hosts(hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"hosts": {name: dict(variables) for name, variables in hosts.items()}}
