"""How an instance comes, changes, restarts, is created anew, and goes.

A change that needs a restart stops the machine first and writes then: killed anywhere in between, the next look
finds it stopped and starts it. Waiting for a machine's address is in `readiness.py`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from freehold.diagnostics import BackendError
from freehold.model import MachineType
from freehold.planning.change import Action, Change
from freehold.planning.resource import Fields, Impact
from freehold.providers.incus.device_nodes import LOST
from freehold.providers.incus.guardian import make_sure, reattach
from freehold.providers.incus.images import Images
from freehold.providers.incus.instances import API_TYPES
from freehold.providers.incus.marks import (
    BOOT_TIMEOUT,
    IMAGE,
    INHERITED,
    marks,
    merged,
    protection,
)
from freehold.providers.incus.objects import fields_of
from freehold.providers.incus.options import inherited_as_text
from freehold.providers.incus.power import set_state, stop, switch_off
from freehold.providers.incus.readiness import wait_for_address
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus, IncusError, IncusInterrupted

_NO_ROOT = ("Instance storage pool not found", 'Failed expanding symlinks of ""')
_START_FAILED = "forkstart"  # the program that Incus starts a container with
_SETTLING_LOOKS, _SETTLING_PAUSE = 20, 0.1
_KEPT_FIELDS = ("architecture", "ephemeral", "stateful")


@dataclass(frozen=True, slots=True)
class InstanceSteps:
    """Makes the steps for one change of one instance."""

    incus: Incus
    images: Images
    estate: str
    change: Change

    def all(self) -> Sequence[Step]:
        """The steps that carry out the change."""
        match self.change.action:
            case Action.CREATE:
                return [self._step("create", self._create), self._wait()]
            case Action.DELETE:
                return [*self._stopping(), self._step("delete", self._delete)]
            case Action.REPLACE:
                return self._replacement()
            case Action.UPDATE:
                return self._update()

    def _update(self) -> Sequence[Step]:
        fields = {field.path for field in self.change.fields}
        restarts = self.change.impact is Impact.RESTART
        steps = list(self._stopping()) if restarts else []
        if self.change.lets_go:
            steps.append(Step(f"free the address of {self._name}", self._let_go, lets_go=True))
        if any(path != "state" and not path.startswith(f"{LOST}.") for path in fields):
            steps.append(self._step("configure", self._configure))
        if restarts or "state" in fields:
            steps += [self._step("start", self._start), self._wait()]
        return [*steps, *self._healing(restarts)]

    def _healing(self, restarts: bool) -> Sequence[Step]:
        """Give lost devices back; a restart has done so."""
        lost = sorted((self.change.observed or {}).get(LOST, ()))
        if not lost:
            return []

        async def give(report: Report) -> None:
            await reattach(self.incus, self._project, self._name, lost)

        async def look(report: Report) -> None:
            await make_sure(self.incus, self._project, self._name, restarted=restarts)

        again = Step(f"look at {' '.join(lost)} in {self._name}", look)
        giving = Step(f"attach {' '.join(lost)} of {self._name} anew", give)
        return [again] if restarts else [giving, again]

    def _replacement(self) -> Sequence[Step]:
        """The image alone can be changed in place, which keeps everything but the root disk."""
        in_place = not any(field.path == "type" for field in self.change.fields)
        if in_place:
            making = [
                Step(f"delete the snapshots of {self._name}", self._delete_snapshots),
                self._step("rebuild", self._rebuild),
                self._step("configure", self._configure),
            ]
            making.append(self._step("start", self._start))
        else:
            making = [self._step("delete", self._delete), self._step("create", self._create)]
        return [*self._stopping(), *making, self._wait()]

    def _stopping(self) -> Sequence[Step]:
        if self.change.observed is None or self.change.observed["state"] == "stopped":
            return []
        return [self._step("stop", self._stop)]

    def _wait(self) -> Step:
        async def run(report: Report) -> None:
            await wait_for_address(self.incus, self._project, self._fields, report)

        return Step(f"wait for {self._name}", run, only_waits=True)

    def _step(self, verb: str, run: Any) -> Step:
        return Step(f"{verb} {self._name}", run)

    @property
    def _fields(self) -> Fields:
        return fields_of(self.change)

    @property
    def _name(self) -> str:
        return str(self._fields["name"])

    @property
    def _path(self) -> str:
        return f"/instances/{self._name}"

    @property
    def _project(self) -> str:
        return self.change.address.domain

    def _body(self) -> dict[str, Any]:
        fields = self._fields
        config = {
            **fields["config"],
            **marks(self.estate, self._project),
            **protection(fields["protect"]),
            **({BOOT_TIMEOUT: timeout} if (timeout := fields["boot_timeout"]) else {}),
            IMAGE: fields["image"],
            INHERITED: inherited_as_text(fields["inherited"]),
        }
        body = {key: fields[key] for key in ("description", "profiles", "devices")}
        return {**body, "config": config}

    async def _source(self, report: Report) -> Any:
        machine_type = MachineType(self._fields["type"])
        return await self.images.source(self._fields["image"], machine_type, report)

    async def _create(self, report: Report) -> None:
        body = self._body() | {
            "name": self._name,
            "type": API_TYPES[MachineType(self._fields["type"])],
            "source": await self._source(report),
            "start": True,
        }
        try:
            await self.incus.send(
                "POST", "/instances", body, progress=report, project=self._project
            )
        except IncusError as error:
            if _START_FAILED not in error.message:
                raise
            raise await self._not_started(error) from error

    async def _delete_snapshots(self, report: Report) -> None:
        """They are of the disk that goes; as long as there are any, Incus refuses to make another."""
        for url in await self.incus.get(f"{self._path}/snapshots", project=self._project):
            name = urlsplit(url).path.rpartition("/")[2]
            await self.incus.send("DELETE", f"{self._path}/snapshots/{name}", project=self._project)

    async def _rebuild(self, report: Report) -> None:
        body = {"source": await self._source(report)}
        await self.incus.send(
            "POST", f"{self._path}/rebuild", body, progress=report, project=self._project
        )

    async def _configure(self, report: Report) -> None:
        current = await self.incus.get(self._path, project=self._project)
        wanted = self._body()
        body = {
            **{key: current[key] for key in _KEPT_FIELDS},
            **wanted,
            "config": merged(current["config"], wanted["config"]),
        }
        await self.incus.send("PUT", self._path, body, project=self._project)

    async def _let_go(self, report: Report) -> None:
        """Take the NIC away for a moment: only then does Incus also end the address's DHCP lease."""
        current = await self.incus.get(self._path, project=self._project)
        devices = {**current["devices"], "eth0": {"type": "none"}}
        body = {key: current[key] for key in (*_KEPT_FIELDS, "description", "profiles", "config")}
        await self.incus.send(
            "PUT", self._path, {**body, "devices": devices}, project=self._project
        )

    async def _start(self, report: Report) -> None:
        current = await self.incus.get(self._path, project=self._project)
        action = {"Running": None, "Frozen": "unfreeze"}.get(current["status"], "start")
        if action is None:
            return
        try:
            await self._set_state({"action": action, "timeout": -1})
        except IncusError as error:
            if _has_no_root(error) and _never_ran(current):
                await self._delete(report)
                raise IncusInterrupted(error.request, "it was never made to its end") from error
            raise await self._not_started(error) from error

    async def _not_started(self, error: IncusError) -> BackendError:
        """Where to find the reason, which Incus itself often does not tell.

        For a moment it still calls such a machine running; whoever looks then would find nothing to do.
        """
        for _ in range(_SETTLING_LOOKS):
            current = await self.incus.get(self._path, project=self._project)
            if current["status"] != "Running":
                break
            await asyncio.sleep(_SETTLING_PAUSE)
        diagnostic = error.diagnostics[0]
        log = f"incus info --project {self._project} {self._name} --show-log"
        return BackendError(replace(diagnostic, hint=f"Its log may say why:\n    {log}"))

    async def _stop(self, report: Report) -> None:
        """A machine that is deleted or loses its disk is switched off at once."""
        if self.change.action is Action.UPDATE:
            await stop(self.incus, self._project, self._name, report)
        else:
            await switch_off(self.incus, self._project, self._name)

    async def _set_state(self, body: dict[str, object]) -> None:
        await set_state(self.incus, self._project, self._name, body)

    async def _delete(self, report: Report) -> None:
        await self.incus.send("DELETE", self._path, project=self._project)


def _has_no_root(error: IncusError) -> bool:
    """Whether Incus says that the root disk is not there: it was killed while it made the instance."""
    return any(sign in error.message for sign in _NO_ROOT)


def _never_ran(current: Mapping[str, Any]) -> bool:
    """Whether an instance was not started even once: nobody has put anything there yet."""
    was_started = "volatile.last_state.power" in current["config"]
    return not was_started and current["last_used_at"].startswith("1970-01-01")
