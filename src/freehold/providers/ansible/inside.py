"""Who has something inside, and how that is addressed: `provision:homelab/llm`, `provision:cortex`. Pure; used by the modules beside it."""

from freehold.model import Host, Infra
from freehold.planning.address import Address
from freehold.planning.resource import Kind
from freehold.providers.ansible.inventory import Inhabited, inhabited

KIND = Kind(name="provision", rank=5, shields=frozenset({"service"}))
"""On a host it has the rules of ports too (role `host_ports`), before a service opens one."""


def provision_address(each: Inhabited) -> Address:
    """The address of what goes inside. Of a host there is just one, so it has no name."""
    if isinstance(each, Host):
        return Address(each.name, KIND.name)
    return Address(each.domain, KIND.name, each.name)


def provisioned(infra: Infra) -> list[Inhabited]:
    """The machines and hosts that infra.yml puts something into."""
    return [each for each in inhabited(infra) if each.provision.asks]
