"""What the variables files hold between their marks: facts of infra.yml for roles, and the user's `vars`. Called by `tree`.

No connection variable is ever among them: in group_vars it would beat a play's own `connection:`; they stand in the
inventory (`inventory.py`).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from freehold.model import Domain, Host, Infra, Machine
from freehold.model.provision import LISTS, Provision

Variables = dict[str, Any]

_OWN = ("freehold_", *(f"provision_{name}" for name in LISTS))


def estate_variables(infra: Infra) -> Variables:
    """For every host: `group_vars/all.yml`."""
    return {"freehold_estate": infra.name, **infra.variables}


def domain_variables(domain: Domain) -> Variables:
    """For a domain's machines and its own host: `group_vars/DOMAIN.yml`."""
    return {
        "freehold_domain": domain.name,
        "freehold_subnet": str(domain.subnet),
        "freehold_gateway": str(domain.gateway),
        "freehold_trust": domain.trust.value,
        **domain.variables,
    }


def machine_variables(machine: Machine) -> Variables:
    """For one machine: `host_vars/INSTANCE.yml`. An address that is allocated is not known without Incus, so not here."""
    variables: Variables = {"freehold_machine": machine.key}
    if machine.address is not None:
        variables["freehold_address"] = str(machine.address)
    return {**variables, **_provision_variables(machine.provision)}


def host_variables(host: Host) -> Variables:
    """For one host: `host_vars/HOST.yml`."""
    return {
        "freehold_host": host.name,
        "freehold_address": host.address,
        "freehold_architecture": host.architecture.value,
        **_provision_variables(host.provision),
    }


def _provision_variables(provision: Provision) -> Variables:
    lists = {name: getattr(provision, name) for name in LISTS}
    found = {
        f"provision_{name}": [_plain(item) for item in items]
        for name, items in lists.items()
        if items
    }
    return {**found, **provision.vars}


def shown_variables(variables: Mapping[str, Any]) -> Variables:
    """As a plan shows them: what a user's variable holds may be secret, so only that it changes is to be seen."""
    return {
        name: value if name.startswith(_OWN) else _digest(value)
        for name, value in variables.items()
    }


def _plain(item: Any) -> Any:
    """A value of the model as the role reads it, without what infra.yml leaves out."""
    if not is_dataclass(item):
        return item
    values = {each.name: getattr(item, each.name) for each in fields(item)}
    return {name: value for name, value in values.items() if value is not None}


def _digest(value: Any) -> str:
    """Tells two values apart and names neither."""
    text = json.dumps(value, sort_keys=True, default=str)
    return f"value {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
