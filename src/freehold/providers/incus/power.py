"""How an instance is stopped: politely, then switched off. Called by the steps of instances and of snapshots."""

from freehold.providers.protocol import Report
from freehold.system.incus.api import Incus, IncusError

STOP_SECONDS = 30  # a machine that does not shut down within this is switched off


async def stop(incus: Incus, project: str, instance: str, report: Report) -> None:
    """Ask it to shut down; switch it off when it does not. One that is frozen hears nothing, so it goes on first."""
    current = await incus.get(f"/instances/{instance}", project=project)
    if current["status"] == "Frozen":
        await set_state(incus, project, instance, {"action": "unfreeze", "timeout": -1})
    try:
        await set_state(incus, project, instance, {"action": "stop", "timeout": STOP_SECONDS})
    except IncusError:
        report("does not shut down by itself: switching it off")
        await switch_off(incus, project, instance)


async def switch_off(incus: Incus, project: str, instance: str) -> None:
    """At once. One that is off already is as wanted."""
    try:
        await set_state(incus, project, instance, {"action": "stop", "timeout": -1, "force": True})
    except IncusError:
        current = await incus.get(f"/instances/{instance}", project=project)
        if current["status"] != "Stopped":
            raise


async def set_state(incus: Incus, project: str, instance: str, body: dict[str, object]) -> None:
    """`PUT /instances/NAME/state`."""
    await incus.send("PUT", f"/instances/{instance}/state", body, project=project)
