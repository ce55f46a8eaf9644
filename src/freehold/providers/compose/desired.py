"""Services as infra.yml wants them: the fields that the plan compares, and the Compose file of each target. Pure but for the secrets.

Called by `provider`. The fields of what runs are on its container, written there by `update` when it was started.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from freehold.diagnostics import Diagnostic
from freehold.model import Infra
from freehold.model.services import Service
from freehold.planning.address import HOST, Address
from freehold.planning.resource import Desired, Fields, Impact, Kind
from freehold.providers.compose import places
from freehold.providers.compose.content import CURRENT, Contents, contents
from freehold.providers.compose.entry import TAKEOVER, Entry, entry
from freehold.providers.compose.project import Project
from freehold.system.secrets import Secrets
from freehold.wiring.addresses import met

STATE = "state"
UNHEALTHY = "unhealthy"
"""A field that only a container has which cannot just be started: it runs and does not serve, or stands half-way."""
KEPT = "kept"
"""A field that only a container has whose start was cut short when it served already: what ran before it is still there to go back to."""
SECRET = "secret"  # noqa: S105 - a kind of resource
HEALTHY, RUNNING = "healthy", "running"

NOT_TAKEN_OVER = "secrets not taken over"
"""Stands after the state of a container whose service may still keep other secrets than its files say (`takeover`)."""

_NOT_COMPARED = {"labels", "pull_policy", "volumes", TAKEOVER}


def _impact(path: str, fields: Fields) -> Impact:
    """Compose makes the container anew for whatever differs; one that stands still is only started."""
    return Impact.LIVE if path in (STATE, KEPT) else Impact.RESTART


KIND = Kind(name=places.SERVICE, rank=7, impact_of=_impact)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service as it is to be: its entry, its files, and the fields that tell both from others."""

    service: Service
    entry: Entry
    contents: Contents
    fields: Fields


def wanted(infra: Infra, service: Service, secrets: Secrets, *, values: bool = False) -> Wanted:
    """All of one service. With `values` the files of secrets have their content. Raises BackendError, ConfigError."""
    files = contents(infra, service, secrets, values=values)
    made = entry(infra, service, files, files.version(secret=True))
    return Wanted(service, made, files, {**fields(infra, service, made, files), STATE: _served(service)})  # fmt: skip


def fields(infra: Infra, service: Service, made: Entry, files: Contents) -> Fields:
    """What the plan compares, but for how it runs. A machine that is made from another image has lost what ran in it."""
    machine = infra.machine(service.target)
    every = {
        **{key: value for key, value in made.items() if key not in _NOT_COMPARED},
        "volumes": dict(_volumes(made)),
        "mounts": list(_mounts(made, files)),
        "files": files.shown(secret=False),
        "secrets": files.shown(secret=True),
        "system": machine and machine.image,
    }
    return {key: value for key, value in every.items() if value}


def desired_services(
    infra: Infra,
    services: Mapping[str, Wanted],
    unseen: frozenset[str],
    said: Mapping[str, tuple[Diagnostic, ...]],
) -> Iterator[Desired]:
    """The services on all targets but those that could not be looked at. `said`: what a plan says that makes one."""
    for each in services.values():
        if each.service.target not in unseen:
            yield Desired(
                address=places.service_address(each.service.target, each.service.name),
                fields=each.fields,
                depends_on=frozenset(_needs(infra, each.service, unseen)),
                claims=places.port_claims(each.service.target, each.fields),
                on_creation=said.get(each.service.name, ()),
            )


def compose_texts(infra: Infra, services: Mapping[str, Wanted]) -> Mapping[str, str]:
    """The Compose files by target, as they stand in the estate's folder. Of secrets they have not even fingerprints."""
    projects: dict[str, Project] = {}
    for name, each in services.items():
        made = entry(infra, each.service, each.contents, CURRENT)
        projects.setdefault(each.service.target, Project(infra.name)).put(name, made)
    return {target: project.text(target) for target, project in sorted(projects.items())}


def _needs(infra: Infra, service: Service, unseen: frozenset[str]) -> Iterator[Address]:
    """What must be done before: the file, the secrets, the target, and the services that it needs, wherever they are."""
    yield places.compose_address(service.target)
    yield from places.grounds(infra, service.target)
    for name in service.secrets.values():
        yield Address(HOST, SECRET, name)
    for _, needed in met(infra, service):
        if needed.target in unseen:
            continue
        if needed.as_container:
            yield places.service_address(needed.target, needed.name)
        else:
            yield from places.grounds(infra, needed.target)


def _served(service: Service) -> str:
    return RUNNING if service.descriptor.health is None else HEALTHY


def _volumes(made: Entry) -> Iterator[tuple[str, str]]:
    for volume in made.get("volumes", ()):
        if volume["type"] == "volume":
            yield volume["source"], volume["target"]


def _mounts(made: Entry, files: Contents) -> Iterator[str]:
    """Those of the target's own folders; of the others the version says all."""
    ours = {piece.path for piece in files.pieces}
    for volume in made.get("volumes", ()):
        if volume["type"] == "bind" and volume["target"] not in ours:
            how: Any = ":ro" if volume.get("read_only") else ""
            yield f"{volume['source']}:{volume['target']}{how}"
