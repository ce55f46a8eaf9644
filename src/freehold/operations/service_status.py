"""What `status` shows of services, from the plan's two sides. Called by `overview.look`.

Only containers are looked at: of what a role installs, the plan knows that the role was run, and nobody knows whether it works.
"""

from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.model.services import Service
from freehold.operations.machine_status import MISSING, UNKNOWN, ServiceStatus
from freehold.planning.address import Address
from freehold.planning.resource import Desired
from freehold.planning.selection import Selection
from freehold.providers.compose.desired import STATE
from freehold.providers.compose.places import name_of, service_address, target_of


def services_of(
    infra: Infra, picture: Picture, selection: Selection = Selection()
) -> tuple[ServiceStatus, ...]:
    """The selected services as they are now, in the order of their targets."""
    every = {service_address(each.target, each.name): each for each in infra.services}
    return tuple(
        _service(picture, address, picture.desired[address])
        if address in picture.desired
        else _unknown(service)
        for address, service in sorted(every.items())
        if selection.includes(address)
    )


def _unknown(service: Service) -> ServiceStatus:
    """No container is planned for a target whose Docker does not answer, nor for what a role installs."""
    return ServiceStatus(
        name=service.name,
        target=service.target,
        image=service.image or "",
        state=UNKNOWN,
        serves=False,
    )


def _service(picture: Picture, address: Address, desired: Desired) -> ServiceStatus:
    seen = picture.observed.get(address)
    unreached = address.domain in picture.plan.unreached
    state = (UNKNOWN if unreached else MISSING) if seen is None else str(seen.fields[STATE])
    return ServiceStatus(
        name=name_of(address),
        target=target_of(address),
        image=str((seen or desired).fields.get("image", "")),
        state=state,
        ports=tuple(map(str, desired.fields.get("ports", ()))),
        serves=state == desired.fields[STATE],
        drift=() if seen is None else _drift(picture, address),
    )


def _drift(picture: Picture, address: Address) -> tuple[str, ...]:
    for change in picture.plan.changes:
        if change.address == address:
            return tuple(field.path for field in change.fields)
    return ()
