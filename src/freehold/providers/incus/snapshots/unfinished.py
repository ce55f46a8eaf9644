"""Marks of what is under way, kept in Incus itself: so that whoever comes after a killed run knows what is half done.

While the machines of a domain are snapshotted, its project says which. While a machine goes back to a snapshot its instance
says to which: bringing back the instance is the last part and takes that mark away with it, in the one act.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from freehold.diagnostics import Diagnostic, Severity
from freehold.providers.incus.marks import owner
from freehold.system.incus.api import Incus

MAKING = "user.freehold.snapshot"
RESTORING = "user.freehold.restoring"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A snapshot of a domain's `machines` that was begun."""

    name: str
    machines: tuple[str, ...]

    def dump(self) -> str:
        return json.dumps({"name": self.name, "machines": self.machines})


def unfinished_of(estate: str, projects: Iterable[Mapping[str, Any]]) -> dict[str, Unfinished]:
    """By domain, of the estate's projects as `GET /projects?recursion=1` lists them."""
    return {
        raw["name"]: found
        for raw in projects
        if owner(raw["config"]) == estate and (found := parsed(raw["config"].get(MAKING)))
    }


def parsed(text: str | None) -> Unfinished | None:
    """What the mark says; None when there is none, or somebody has damaged it."""
    try:
        document = json.loads(text or "")
        return Unfinished(str(document["name"]), tuple(map(str, document["machines"])))
    except (ValueError, KeyError, TypeError):
        return None


async def mark_domain(incus: Incus, domain: str, unfinished: Unfinished | None) -> None:
    """Write the mark, or take it away. Incus 6.0.4 refuses a PATCH of a project that is in use, so all of it is sent."""
    project = await incus.get(f"/projects/{domain}")
    config = {key: value for key, value in project["config"].items() if key != MAKING}
    if unfinished is not None:
        config[MAKING] = unfinished.dump()
    body = {"config": config, "description": project["description"]}
    await incus.send("PUT", f"/projects/{domain}", body)


async def mark_instance(incus: Incus, domain: str, instance: str, snapshot: str) -> None:
    """Say of an instance that it goes back."""
    body = {"config": {RESTORING: snapshot}}
    await incus.send("PATCH", f"/instances/{instance}", body, project=domain)


def half_restored(key: str, name: str) -> Diagnostic:
    """A machine whose volumes may be of one moment and its disk of another: it must not be started as it is."""
    return Diagnostic(
        code="half-restored",
        summary="A machine is half-way back to a snapshot",
        detail=f"{key} was going back to `{name}` when that was ended: its disk and its volumes may be of two moments.",
        hint=f"Bring it to its end:\n    freehold snapshot restore {key} --name {name}",
    )


def never_finished(domain: str, left: Unfinished) -> Diagnostic:
    """A snapshot that some machines of a domain have and others have not."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="unfinished-snapshot",
        summary="A snapshot was never finished",
        detail=f"{domain}: whoever took `{left.name}` of {', '.join(left.machines)} was ended. The next snapshot of the domain "
        "removes what there is of it.",
        hint=f"Or do that now:\n    freehold snapshot delete {domain} --name {left.name}",
    )
