"""What on a target has a name that a service of the estate would take, and is somebody else's. Pure; called by `provider`.

Compose knows what is its own by the project's name alone: of a container that another project of the estate's name has for a service of the
same name it would make the estate's, and a volume of such a name it would use with all that is in it. So nothing is done about that service.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from freehold.diagnostics import Diagnostic
from freehold.model import Infra
from freehold.model.services import Service
from freehold.planning.resource import Observed
from freehold.providers.compose import places, plan_problems
from freehold.providers.compose.desired import STATE
from freehold.providers.compose.entry import volumes_of
from freehold.providers.compose.look import PROJECT, SERVICE, Found
from freehold.providers.compose.networking import networking, networks_of
from freehold.providers.compose.seen import named_volumes

_FOLDER = "com.docker.compose.project.working_dir"
_DEFAULT = "default"
"""The network that Compose makes for a service without one; it carries no mark of the estate."""


def left_alone(
    infra: Infra, target: str, found: Found, seen: Mapping[str, Observed]
) -> dict[str, Observed]:
    """The services of infra.yml that nothing is done about, by name: as they are `seen`, or as something that is not ours."""
    alone = {}
    for service in places.own_services(infra, target):
        containers = [each for each in found.others if _is_at(infra.name, service.name, each)]
        volumes = list(_volumes(infra.name, service, found))
        networks = list(_networks(infra, service, found))
        if not (containers or volumes or networks):
            continue
        address = places.service_address(target, service.name)
        before = seen.get(service.name) or Observed(
            address=address, fields={STATE: "not ours"}, has_data=False
        )
        alone[service.name] = replace(
            before,
            owned=False,
            adopt=plan_problems.way_out([_name(each) for each in containers], volumes, networks),
            in_place=(
                *(f"the container {_named(each)}" for each in containers),
                *(f"the volume {name}" for name in volumes),
                *(f"the network {name}" for name in networks),
            ),
        )
    return alone


def shared_project(infra: Infra, target: str, found: Found) -> Iterator[Diagnostic]:
    """A warning where somebody else's project has the name of the estate, though nothing of it is in the way."""
    theirs = sorted(_named(each) for each in found.others if _in_project(infra.name, each))
    if theirs and places.own_services(infra, target):
        yield plan_problems.project_shared(target, infra.name, theirs)


def _is_at(estate: str, service: str, container: Mapping[str, Any]) -> bool:
    """Whether Compose would take it for this service, or could not give the service's container its name."""
    same = _in_project(estate, container) and container["labels"].get(SERVICE) == service
    return same or _name(container) == places.container_name(estate, service)


def _in_project(estate: str, container: Mapping[str, Any]) -> bool:
    return bool(container["labels"].get(PROJECT) == estate)


def _volumes(estate: str, service: Service, found: Found) -> Iterator[str]:
    """Those without the estate's mark. What its own container has is its own, however it was made."""
    own = set(named_volumes(found.containers.get(service.name, {"mounts": ()})))
    for name in volumes_of(service):
        volume = f"{estate}_{name}"
        if volume not in own and found.volumes.get(volume, estate) != estate:
            yield volume


def _networks(infra: Infra, service: Service, found: Found) -> Iterator[str]:
    """Those without the estate's mark. That of Compose's own has none: it is somebody else's where their containers are."""
    if dict(networking(infra, service)).get("networks") == []:
        network = f"{infra.name}_{_DEFAULT}"
        if network in found.networks and any(
            _in_project(infra.name, each) for each in found.others
        ):
            yield network
    for name in networks_of(infra, service):
        network = f"{infra.name}_{name}"
        if found.networks.get(network, infra.name) != infra.name:
            yield network


def _named(container: Mapping[str, Any]) -> str:
    """`shop-web-1 (/srv/shop)`: where its Compose file is tells whose it is."""
    folder = container["labels"].get(_FOLDER)
    return _name(container) + (f" ({folder})" if folder else "")


def _name(container: Mapping[str, Any]) -> str:
    return str(container["name"]).removeprefix("/")
