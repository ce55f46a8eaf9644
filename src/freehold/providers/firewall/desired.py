"""What the table is to be: zones and openings of an estate, as the fields of its one resource. Pure.

Called by `provider.py`. A bridge of ours that infra.yml no longer names is a zone that nothing is open to or from.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from freehold.model import Domain, Infra, Trust
from freehold.planning.address import HOST, Address
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.firewall.openings import Opening, openings
from freehold.providers.firewall.ruleset import table_name

KIND = Kind(name="firewall", rank=-1, guards=frozenset({"instance"}))
ADDRESS = Address(HOST, KIND.name)
AS_WRITTEN = "as Freehold writes them"

Zone = dict[str, Any]


def desired_firewall(infra: Infra, observed: Mapping[Address, Observed]) -> Desired:
    """The table that keeps the estate's domains apart; machines must have their addresses."""
    wanted = {domain.name: _zone(domain) for domain in infra.domains}
    orphans = {
        name: zone for name, zone in _orphans(observed) if zone["bridge"] not in _bridges(wanted)
    }
    fields = {
        "table": table_name(infra.name),
        **({"transfer": infra.transfer.bridge} if infra.transfer else {}),
        "zones": {**orphans, **wanted},
        "open": {opening.label: opening.text for opening in _openings(infra)},
        "rules": AS_WRITTEN,
        "at start": AS_WRITTEN,
    }
    seen = observed.get(ADDRESS)
    return Desired(address=ADDRESS, fields=_tolerant(fields, seen.fields if seen else None))


def _openings(infra: Infra) -> Iterator[Opening]:
    """What the host decides; with a machine between the domains, what is between them is that machine's."""
    for opening in openings(infra):
        if infra.transfer is None or not opening.is_between_domains:
            yield opening


def _zone(domain: Domain) -> Zone:
    return {
        "bridge": domain.bridge,
        "subnet": str(domain.subnet),
        "gateway": str(domain.gateway),
        "admin": domain.trust is Trust.ADMIN,
        "internet": domain.internet,
    }


def _orphans(observed: Mapping[Address, Observed]) -> Iterator[tuple[str, Zone]]:
    """Bridges that carry our mark: as observed, closed."""
    for address, seen in observed.items():
        if address.kind != "bridge" or not seen.owned or address.domain == HOST:
            continue
        gateway = seen.fields["config"].get("ipv4.address", "")
        subnet = next(iter(sorted(seen.claims)), "")
        if subnet and gateway:
            yield (
                address.domain,
                {
                    "bridge": seen.fields["name"],
                    "subnet": subnet,
                    "gateway": gateway.partition("/")[0],
                    "admin": False,
                    "internet": False,
                },
            )


def _bridges(zones: Mapping[str, Zone]) -> set[str]:
    return {zone["bridge"] for zone in zones.values()}


def _tolerant(wanted: Fields, seen: Fields | None) -> Fields:
    """A zone whose bridge is gone stands in nobody's way: it goes with the next change, and alone it is none."""
    if seen is None:
        return wanted
    left = {name: zone for name, zone in seen["zones"].items() if name not in wanted["zones"]}
    with_left = {**wanted, "zones": {**wanted["zones"], **left}}
    return with_left if with_left == seen else wanted
