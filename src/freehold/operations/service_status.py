"""What `status` shows of services that run as containers, from the plan's two sides. Called by `cli.status`."""

from freehold.engine.planner import Picture
from freehold.operations.machine_status import MISSING, UNKNOWN, ServiceStatus
from freehold.planning.address import Address
from freehold.planning.resource import Desired
from freehold.planning.selection import Selection
from freehold.providers.compose.desired import KIND, STATE
from freehold.providers.compose.places import name_of, target_of


def services_of(picture: Picture, selection: Selection = Selection()) -> tuple[ServiceStatus, ...]:
    """The selected services as they are now, in the order of their targets."""
    return tuple(
        _service(picture, address, desired)
        for address, desired in sorted(picture.desired.items())
        if address.kind == KIND.name and selection.includes(address)
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
