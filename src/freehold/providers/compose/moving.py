"""What a plan says of data when it makes a service: that it goes on with what is there, and what another keeps elsewhere. Pure; called by `provider`.

Volumes belong to a target and to the name of a service. One that is moved to another target or gets another name begins with others.
"""

from collections.abc import Iterator, Mapping

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model import Infra
from freehold.model.services import Service
from freehold.planning.address import Address
from freehold.planning.resource import Observed
from freehold.providers.compose import places, plan_problems
from freehold.providers.compose.entry import volumes_of
from freehold.providers.compose.look import Found
from freehold.providers.compose.observing import Looks

Seen = Mapping[Address, Observed]


def said_of_data(infra: Infra, looks: Looks, seen: Seen) -> dict[str, tuple[Diagnostic, ...]]:
    """By service, of those that keep data and that nobody has seen."""
    said: dict[str, tuple[Diagnostic, ...]] = {}
    for service in places.own_services(infra):
        address = places.service_address(service.target, service.name)
        if service.descriptor.data and address not in seen:
            there = _there(infra.name, service, looks.get(service.target))
            others = [*_orphans(infra, service, seen), *_out_of_sight(infra, service, looks, seen)]
            if others:
                said[service.name] = (plan_problems.data_left(address, others, there),)
            elif there:
                said[service.name] = (plan_problems.data_there(address, there),)
    return said


def _there(estate: str, service: Service, found: Found | BackendError | None) -> list[str]:
    names = [f"{estate}_{name}" for name in volumes_of(service)]
    return [name for name in names if isinstance(found, Found) and name in found.volumes]


def _orphans(infra: Infra, service: Service, seen: Seen) -> Iterator[str]:
    """What infra.yml no longer names, and has its name or its program."""
    wanted = {places.service_address(each.target, each.name) for each in infra.services}
    for address, each in sorted(seen.items()):
        if address.kind != places.SERVICE or address in wanted or not (each.owned and each.stays):
            continue
        program = _program(str(each.fields.get("image", "")))
        if places.name_of(address) == service.name or program == _program(service.image or ""):
            yield f"The data of {address} ({', '.join(each.stays)})"


def _out_of_sight(infra: Infra, service: Service, looks: Looks, seen: Seen) -> Iterator[str]:
    """By the Compose files in the estate's folder: one of its name where nobody could look now."""
    for address, each in sorted(seen.items()):
        if address.kind != places.COMPOSE or places.target_of(address) == service.target:
            continue
        target = places.target_of(address)
        blind = not isinstance(looks.get(target), Found)
        if blind and service.name in each.fields.get("services", ()):
            yield f"The data that {service.name} had on {target}, where nobody could look now,"


def _program(image: str) -> str:
    """An image without its version."""
    name, _, version = image.partition("@")[0].rpartition(":")
    return name if name and "/" not in version else image
