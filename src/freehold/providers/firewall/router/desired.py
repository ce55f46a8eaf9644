"""What the machine between the domains is to decide, and how packets get to it, as the fields of one resource. Pure.

Called by `provider.py`.
"""

from collections.abc import Mapping
from dataclasses import replace

from freehold.model import Infra, Machine, Trust
from freehold.model.names import instance_name
from freehold.model.transfer import ROUTER, Transfer
from freehold.planning.address import HOST, Address
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.firewall.desired import AS_WRITTEN
from freehold.providers.firewall.handover import MARK
from freehold.providers.firewall.openings import Opening, openings
from freehold.system.routing import Way

KIND = Kind(name="router", rank=5)
ADDRESS = Address(HOST, KIND.name)
AS_SET = "as Freehold sets it"
_NONE = "none, the host decides"


def desired_router(infra: Infra, transfer: Transfer) -> Desired:
    """The router of an estate whose machines have their addresses."""
    machine = _machine(infra, transfer)
    return Desired(
        address=ADDRESS,
        fields={
            "machine": {
                "name": transfer.key,
                "address": str(machine.address),
                "image": machine.image,
                "type": machine.type.value,
            },
            "way": _way(infra, transfer),
            "zones": {
                domain.name: {
                    "subnet": str(domain.subnet),
                    "admin": domain.trust is Trust.ADMIN,
                }
                for domain in infra.domains
            },
            "open": {opening.label: opening.text for opening in _openings(infra)},
            "rules": AS_WRITTEN,
            "at start": AS_WRITTEN,
            "routing": AS_SET,
        },
        depends_on=needs(transfer.domain),
    )


def let_go(seen: Observed) -> Desired:
    """With rules on the host: no routing to the machine any more, once the host's rules decide themselves.

    The machine is then an orphan like any other, and its rules go with it.
    """
    fields = {**seen.fields, "routing": _NONE}
    return Desired(
        address=ADDRESS, fields=fields, depends_on=frozenset({Address(HOST, "firewall")})
    )


def is_let_go(fields: Fields | None) -> bool:
    """Whether these are the fields of `let_go`."""
    return fields is not None and fields["routing"] == _NONE


def needs(domain: str) -> frozenset[Address]:
    """What the router stands on: the machine, the bridge to it, and the host's rules."""
    machine = Address(domain, "instance", ROUTER)
    return frozenset({machine, Address(HOST, "bridge"), Address(HOST, "firewall")})


def way_of(fields: Fields) -> Way:
    """What the host's routing is told, with what a look at a machine that is down could not tell."""
    way = fields["way"]
    domain, _, name = fields["machine"]["name"].partition("/")
    return Way(
        base=way["base"],
        bridge=way["bridge"],
        router=way["router"],
        mark=MARK,
        project=domain,
        instance=instance_name(domain, name),
        notes={key: fields[key] for key in ("way", "zones", "open")},
    )


def _machine(infra: Infra, transfer: Transfer) -> Machine:
    return next(machine for machine in infra.machines() if machine.key == transfer.key)


def _way(infra: Infra, transfer: Transfer) -> Mapping[str, object]:
    return {
        "base": str(infra.base),
        "bridge": transfer.bridge,
        "host": str(transfer.host),
        "router": str(transfer.router),
        "length": transfer.subnet.prefixlen,
        "hardware address": transfer.hardware_address,
    }


def _openings(infra: Infra) -> list[Opening]:
    """Those between domains, told by networks instead of bridges."""
    subnets = {domain.bridge: str(domain.subnet) for domain in infra.domains}
    return [
        replace(
            opening,
            source=subnets.get(opening.source, opening.source),
            target=subnets.get(opening.target, opening.target),
        )
        for opening in openings(infra)
        if opening.is_between_domains
    ]
