"""The steps that projects, bridges, profiles and volumes have in common: POST, read-merge-PUT, DELETE.

Instances have a life of their own (`instances.py`). Called by the modules of the single kinds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from freehold.planning.change import Action, Change
from freehold.planning.resource import Fields
from freehold.providers.incus.marks import marks, merged, protection
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus

BODY_FIELDS = ("description", "config", "devices")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiObject:
    """Where an object of Incus lives: collection path, name, and project.

    `preexists` is true for what Incus makes and deletes by itself (a project's `default` profile): creating it is a
    PUT, deleting it empties it.
    """

    noun: str
    collection: str
    name: str
    project: str = "default"
    preexists: bool = False

    @property
    def path(self) -> str:
        return f"{self.collection}/{quote(self.name, safe='')}"

    def __str__(self) -> str:
        return f"{self.noun} {self.name}"


def fields_of(change: Change) -> Fields:
    """The side of a change that says where the object lives: what is wanted, else what is there."""
    fields = change.desired if change.desired is not None else change.observed
    if fields is None:
        raise ValueError(f"{change.address} has neither a desired nor an observed side")
    return fields


def object_steps(
    incus: Incus,
    estate: str,
    change: Change,
    target: ApiObject,
    creation: Mapping[str, object] | None = None,
) -> Sequence[Step]:
    """How such an object comes, changes or goes; `creation` is what only a POST may say (a type)."""
    if change.action is Action.DELETE:
        return [_empty(incus, target) if target.preexists else delete(incus, target)]
    body = _body(estate, change)
    if change.action is Action.CREATE and not target.preexists:
        return [_create(incus, target, {**body, **(creation or {})})]
    update = Step(f"update {target}", lambda report: write(incus, target, body))
    return [update]


def _body(estate: str, change: Change) -> dict[str, Any]:
    fields = fields_of(change)
    body = {key: fields[key] for key in BODY_FIELDS if key in fields}
    marked = marks(estate, change.address.domain) | protection(fields.get("protect", False))
    body["config"] = {**fields["config"], **marked}
    return body


def _create(incus: Incus, target: ApiObject, body: Mapping[str, Any]) -> Step:
    async def run(report: Report) -> None:
        await incus.send(
            "POST", target.collection, {**body, "name": target.name}, project=target.project
        )

    return Step(f"create {target}", run)


async def write(incus: Incus, target: ApiObject, body: Mapping[str, Any]) -> None:
    """PUT `body` over what is there, keeping what infra.yml does not speak of."""
    current = await incus.get(target.path, project=target.project)
    wanted = {**body, "config": merged(current["config"], body["config"])}
    await incus.send("PUT", target.path, wanted, project=target.project)


def delete(incus: Incus, target: ApiObject) -> Step:
    """The step that deletes it."""

    async def run(report: Report) -> None:
        await incus.send("DELETE", target.path, project=target.project)

    return Step(f"delete {target}", run)


def _empty(incus: Incus, target: ApiObject) -> Step:
    async def run(report: Report) -> None:
        nothing: dict[str, object] = {"description": "", "config": {}, "devices": {}}
        await incus.send("PUT", target.path, nothing, project=target.project)

    return Step(f"empty {target}", run)
