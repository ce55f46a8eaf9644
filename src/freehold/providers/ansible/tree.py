"""The Ansible tree beside infra.yml: which files there are, what stands in each between the marks, and around it at first.

Pure; called by `files` with the estate as infra.yml describes it and the names of the roles in `roles/`.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from freehold.config.yaml_text import as_yaml
from freehold.model import Infra
from freehold.planning.resource import Fields
from freehold.providers.ansible.inventory import inventory, shown_inventory
from freehold.providers.ansible.managed import BEGIN, END, Marked
from freehold.providers.ansible.secret_lookups import with_lookups
from freehold.providers.ansible.site import (
    NO_REQUIREMENTS,
    SETTINGS,
    playbook,
    plays,
    read_settings,
    requirements,
    settings,
    shown_plays,
    shown_requirements,
    snapshot_plays,
)
from freehold.providers.ansible.variables import (
    Variables,
    domain_variables,
    estate_variables,
    host_variables,
    machine_variables,
    shown_variables,
)

SITE = "site.yml"
SNAPSHOT = "snapshot.yml"
INVENTORY = "inventory/hosts.yml"
VARIABLE_FOLDERS = ("group_vars", "host_vars")

_SHARED = "# What stands between the two marks Freehold writes from infra.yml; the rest of this file is yours."
_ABOUT = "# Ansible variables of "
_ROLES = "roles: [] # yours, for: ansible-galaxy install -r requirements.yml"


@dataclass(frozen=True, slots=True)
class Generated:
    """A file of the tree. `body` stands between the marks, `heading` and `footing` around them in a new file.

    `shown` is the body as a plan shows it; `read` makes the same of a body that was found, and {} of one it cannot read.
    """

    name: str
    body: str
    shown: Fields
    read: Callable[[str], Fields]
    heading: tuple[str, ...]
    footing: tuple[str, ...] = ()

    def new(self) -> Marked:
        """The file as it is made where there is none."""
        before = "".join(f"{line}\n" for line in (*self.heading, BEGIN))
        after = "".join(f"{line}\n" for line in (END, *self.footing))
        return Marked(before, self.body, after)


def generated(infra: Infra, own_roles: Collection[str]) -> Iterator[Generated]:
    """Every file of the tree."""
    needed = requirements(infra, own_roles)
    wanted, hosts = plays(infra, own_roles), inventory(infra)
    yield _generated("ansible.cfg", settings(), _SETTINGS, SETTINGS, heading=(_SHARED,))
    text = as_yaml(needed) if needed else NO_REQUIREMENTS
    yield _generated("requirements.yml", text, _COLLECTIONS, needed, footing=(_ROLES,))
    yield _generated(INVENTORY, as_yaml(hosts), _GROUPS, hosts)
    for name, book in ((SITE, wanted), (SNAPSHOT, snapshot_plays())):
        yield _generated(name, playbook(book), _PLAYS, book)
    yield _variables("group_vars/all.yml", estate_variables(infra), "every machine")
    for domain in infra.domains:
        name = f"group_vars/{domain.name}.yml"
        yield _variables(name, domain_variables(domain), f"the machines of {domain.name}")
    for machine in infra.machines():
        name = f"host_vars/{machine.instance}.yml"
        yield _variables(name, machine_variables(machine), machine.key)
    for host in infra.hosts:
        yield _variables(f"host_vars/{host.name}.yml", host_variables(host), host.name)


def read_variables(part: str) -> Fields:
    """A variables file's part as a plan shows it; {} when it cannot be read."""
    return _VARIABLES.read(part)


def is_untouched(marked: Marked) -> bool:
    """Whether nothing around the part is the user's: blank lines, `---` and what Freehold wrote there at first."""
    ours = {"", "---", _SHARED, _ROLES}
    return all(line.strip() in ours or line.startswith(_ABOUT) for _, line in marked.user_lines())


@dataclass(frozen=True, slots=True)
class _Content:
    """What a kind of file holds: its name in a plan, how text becomes values, and what of them a plan shows."""

    name: str
    load: Callable[[str], Any]
    shown: Callable[[Any], Any]

    def fields(self, values: Any) -> Fields:
        return {self.name: self.shown(values)}

    def read(self, part: str) -> Fields:
        """Whoever edits the part may leave anything there; then it is only known not to be as it should."""
        try:
            return self.fields(self.load(part))
        except Exception:  # noqa: BLE001 - whatever YAML and INI parsers and odd shapes raise
            return {}


_SETTINGS = _Content("settings", read_settings, dict)
_COLLECTIONS = _Content("collections", yaml.safe_load, shown_requirements)
_GROUPS = _Content("groups", yaml.safe_load, shown_inventory)
_PLAYS = _Content("plays", yaml.safe_load, shown_plays)
_VARIABLES = _Content("variables", yaml.safe_load, shown_variables)


def _variables(name: str, values: Variables, whose: str) -> Generated:
    heading = ("---", f"{_ABOUT}{whose}.", _SHARED)
    values = with_lookups(values)
    return _generated(name, as_yaml(values), _VARIABLES, values, heading=heading)


def _generated(
    name: str,
    body: str,
    content: _Content,
    values: Any,
    *,
    heading: tuple[str, ...] = ("---", _SHARED),
    footing: tuple[str, ...] = (),
) -> Generated:
    return Generated(name, body, content.fields(values), content.read, heading, footing)
