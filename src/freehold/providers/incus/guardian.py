"""Notices devices that a running container has lost, and gives them back: by attaching them anew, which nothing inside notices.

The look is part of every observation of a container with a graphics card or another device of the host, so a plan shows what is
lost. What attaching anew did not help with is written on the instance, and the next plan restarts it.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic, Severity
from freehold.model.computer import Card
from freehold.providers.incus.cards import cards_of
from freehold.providers.incus.device_nodes import (
    LOOK,
    REATTACHED,
    Lost,
    Node,
    expected_nodes,
    has_nodes,
    problems,
    questions,
)
from freehold.providers.incus.marks import VAINLY_REATTACHED
from freehold.system.incus.api import Incus, IncusCommandTimeout, IncusError

_LOOK_SECONDS = 20.0
_AT_ONCE = 8
_TAKEN = {"type": "none"}  # what hides a profile's device too
_IN_VAIN = "in vain"
_KEPT = ("architecture", "ephemeral", "stateful", "description", "profiles", "config")

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Losses:
    """What was found: by project and name of an instance. `unmeasured` are machines that could not be looked into."""

    lost: Mapping[tuple[str, str], Lost] = field(default_factory=dict)
    unmeasured: Mapping[str, str] = field(default_factory=dict)

    def diagnostics(self) -> Iterable[Diagnostic]:
        """What a plan says of what was not measured."""
        for machine, reason in sorted(self.unmeasured.items()):
            yield Diagnostic(
                severity=Severity.WARNING,
                code="devices-not-measured",
                summary="Whether a machine still has its devices was not measured",
                detail=f"{machine} has devices of this computer; looking inside failed: {reason}.",
            )


async def losses(incus: Incus, instances: Iterable[Raw], cards: Collection[Card]) -> Losses:
    """Look into all of these that run and have such devices. Raises BackendInterrupted when Incus goes away."""
    slots = asyncio.Semaphore(_AT_ONCE)
    looked_at = [raw for raw in instances if _is_watched(raw)]
    unmeasured: dict[str, str] = {}

    async def look(raw: Raw) -> Lost:
        async with slots:
            try:
                return await look_inside(incus, raw, tuple(cards))
            except (IncusError, IncusCommandTimeout, ValueError) as error:
                unmeasured[raw["name"]] = _reason(error)
                return {}

    found = await asyncio.gather(*(look(raw) for raw in looked_at))
    keys = [(raw["project"], raw["name"]) for raw in looked_at]
    return Losses({key: lost for key, lost in zip(keys, found, strict=True) if lost}, unmeasured)


async def look_inside(incus: Incus, raw: Raw, cards: tuple[Card, ...]) -> Lost:
    """What one instance has lost. Raises IncusError, IncusCommandTimeout; ValueError for an answer that is none."""
    expected = expected_nodes(raw["expanded_devices"], cards)
    nodes = [node for each in expected.values() for node in each]
    wrong = problems(nodes, await _ask(incus, raw, nodes)) if nodes else {}
    vain = _vainly_reattached(raw)
    lost = {
        device: {"nodes": ", ".join(found), **({REATTACHED: _IN_VAIN} if device in vain else {})}
        for device, wanted in expected.items()
        if (found := [wrong[node.path] for node in wanted if node.path in wrong])
    }
    taken = (device for device in vain if _is_taken_away(raw, device))
    return lost | {device: {"nodes": "not attached", REATTACHED: _IN_VAIN} for device in taken}


async def _ask(incus: Incus, raw: Raw, nodes: list[Node]) -> list[str]:
    command = ["sh", "-c", LOOK, "sh", *questions(nodes)]
    result = await incus.execute(raw["project"], raw["name"], command, timeout=_LOOK_SECONDS)
    if result.exit_code != 0:
        raise ValueError(f"its shell ended with {result.exit_code}")
    return result.stdout.splitlines()


async def reattach(incus: Incus, project: str, name: str, devices: Collection[str]) -> None:
    """Take devices from a running container and give them back, whether they are its own or a profile's.

    Raises BackendError when Incus cannot, and notes that a restart must help.
    """
    current = await incus.get(f"/instances/{name}", project=project)
    without = current["devices"] | dict.fromkeys(devices, _TAKEN)
    try:
        for wanted in (without, current["devices"]):
            body = {key: current[key] for key in _KEPT} | {"devices": wanted}
            await incus.send("PUT", f"/instances/{name}", body, project=project)
    except IncusError as error:
        await _note(incus, project, current, devices)
        wrong = f"Incus says: {error.message}"
        raise BackendError(_still_lost(name, wrong, restarted=False)) from error


async def make_sure(incus: Incus, project: str, name: str, *, restarted: bool) -> None:
    """Look again. Raises BackendError when something is still lost, and notes what a restart must help with."""
    raw, cards = await asyncio.gather(_instance(incus, project, name), _cards(incus))
    lost = await look_inside(incus, raw, cards)
    if not lost:
        return
    if not restarted:
        await _note(incus, project, raw, lost)
    wrong = "; ".join(f"{device}: {each['nodes']}" for device, each in sorted(lost.items()))
    raise BackendError(_still_lost(name, wrong, restarted=restarted))


async def _note(incus: Incus, project: str, raw: Raw, devices: Iterable[str]) -> None:
    mark = {VAINLY_REATTACHED: " ".join([raw["last_used_at"], *sorted(devices)])}
    path = f"/instances/{raw['name']}"
    await incus.send("PATCH", path, {"config": mark}, project=project)


async def _instance(incus: Incus, project: str, name: str) -> Raw:
    return {"project": project, **await incus.get(f"/instances/{name}", project=project)}


async def _cards(incus: Incus) -> tuple[Card, ...]:
    return cards_of(await incus.get("/resources"))


def _is_watched(raw: Raw) -> bool:
    return (
        raw["type"] == "container"
        and raw["status"] == "Running"
        and (has_nodes(raw["expanded_devices"]) or VAINLY_REATTACHED in raw["config"])
    )


def _vainly_reattached(raw: Raw) -> Collection[str]:
    """The devices that were attached anew in vain since the machine started; a note of before says nothing."""
    since, *devices = raw["config"].get(VAINLY_REATTACHED, "").split(" ")
    return devices if since == raw["last_used_at"] else ()


def _is_taken_away(raw: Raw, device: str) -> bool:
    """Whether it is as it stands between being taken and given back."""
    return bool(raw["devices"].get(device) == _TAKEN)


def _still_lost(name: str, wrong: str, *, restarted: bool) -> Diagnostic:
    tried = "a restart" if restarted else "attaching it anew"
    return Diagnostic(
        code="device-still-lost",
        summary="A machine has lost a device",
        detail=f"What {name} lost is still lost after {tried}. {wrong.rstrip('.')}.",
        hint="Is the driver loaded on this computer?\n    freehold doctor"
        if restarted
        else "A restart of the machine is left, and the next plan has it:\n    freehold apply",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, BackendError):
        return error.diagnostics[0].detail.rstrip(".")
    return str(error)
