"""How a host that the lab plays comes, changes and goes.

It is there when SSH answers from outside. The way in is delivered once: killed before that was noted, the next look finds it missing and
delivers it again. Made by `provider.py`.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.diagnostics import BackendError
from freehold.model import MachineType
from freehold.planning.change import Action, Change
from freehold.planning.resource import Fields, Impact
from freehold.providers.lab_hosts import delivery, problems
from freehold.providers.lab_hosts.lab import Entrance, Images, Leave
from freehold.providers.lab_hosts.marks import (
    DECLARED,
    DELIVERED,
    ESTATE,
    PACKAGES,
    kept,
    project_name,
    written,
)
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus, IncusError

PATIENCE = 120.0  # seconds for SSH to answer
_PAUSE = 0.2
_STOP_SECONDS = 30
_KEPT_FIELDS = ("architecture", "ephemeral", "stateful", "description", "profiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all hosts of a run have in common. `settings`: where a host sees those of its way to packages."""

    incus: Incus
    images: Images
    entrance: Entrance
    leave: Leave
    image: str
    settings: str


@dataclass(frozen=True, slots=True)
class HostSteps:
    """Makes the steps for one change of one host; SSH may answer at any of the `ports`, or where it was delivered."""

    ground: Ground
    estate: str
    change: Change
    ports: Collection[int]

    def all(self) -> Sequence[Step]:
        """The steps that carry out the change."""
        match self.change.action:
            case Action.CREATE:
                return [self._step("create", self._create), *self._delivery(), self._wait()]
            case Action.DELETE:
                return [*self._stopping(), self._step("delete", self._delete)]
            case _:
                return self._update()

    def _update(self) -> Sequence[Step]:
        changed = {field.path.partition(".")[0] for field in self.change.fields}
        restarts = self.change.impact is Impact.RESTART
        steps = self._stopping() if restarts else []
        if self.change.lets_go:
            steps.append(Step(f"free the address of {self._name}", self._let_go, lets_go=True))
        if changed & {"config", "devices", "declared"}:
            steps.append(self._step("configure", self._configure))
        if "declared" in changed:
            steps.append(self._step("forget who had the address of", self._forget))
        if restarts or "state" in changed:
            steps.append(self._step("start", self._start))
        if "delivered" in changed:
            steps += self._delivery()
        elif "packages" in changed:
            steps.append(Step(f"give {self._name} its way to packages", self._give_packages))
        return [*steps, self._wait()]

    def _delivery(self) -> list[Step]:
        return [
            Step(f"open {self._name} to SSH", self._deliver, only_waits=True),
            Step(f"give {self._name} its way to packages", self._give_packages),
        ]

    def _stopping(self) -> list[Step]:
        seen = self.change.observed
        if seen is None or seen["state"] == "stopped":
            return []
        return [self._step("stop", self._stop)]

    def _wait(self) -> Step:
        return Step(f"wait for SSH of {self._name}", self._answers, only_waits=True)

    def _step(self, verb: str, run: Any) -> Step:
        return Step(f"{verb} {self._name}", run)

    @property
    def _fields(self) -> Fields:
        fields = self.change.desired if self.change.desired is not None else self.change.observed
        assert fields is not None
        return fields

    @property
    def _name(self) -> str:
        return str(self._fields["name"])

    @property
    def _path(self) -> str:
        return f"/instances/{self._name}"

    @property
    def _project(self) -> str:
        return project_name(self.estate)

    @property
    def _config(self) -> dict[str, str]:
        """Without what is noted when it is done."""
        fields = self._fields
        return {**fields["config"], ESTATE: self.estate, DECLARED: fields["declared"]}

    async def _create(self, report: Report) -> None:
        source = await self.ground.images.source(self.ground.image, MachineType.CONTAINER, report)
        body = {
            "name": self._name,
            "type": "container",
            "source": source,
            "start": True,
            "profiles": [],
            "config": self._config,
            "devices": self._fields["devices"],
        }
        await self._send("POST", "/instances", body, report)

    async def _deliver(self, report: Report) -> None:
        """The way in, then the note of it."""
        ground, way = self.ground, self._fields["delivered"]
        key = await asyncio.to_thread(ground.entrance.public_key)
        ground.entrance.forget(self._fields["declared"])
        await self._run(delivery.way_in(way["user"], way["port"], key, await self._gateway()))
        await self._note(DELIVERED, way)

    async def _gateway(self) -> str:
        bridge = self._fields["devices"]["eth0"]["network"]
        found = await self.ground.incus.get(f"/networks/{bridge}")
        return str(found["config"]["ipv4.address"]).partition("/")[0]

    async def _give_packages(self, report: Report) -> None:
        variables = self._fields["packages"]
        await self._run(delivery.packages(variables, self.ground.settings))
        await self._note(PACKAGES, variables)

    async def _run(self, command: Sequence[str]) -> None:
        ended = await self.ground.incus.execute(
            self._project, self._name, command, timeout=delivery.SECONDS
        )
        if ended.exit_code != 0:
            raise BackendError(problems.not_delivered(self._name, self._project, ended.stderr))

    async def _note(self, mark: str, fields: Fields) -> None:
        await self._send("PATCH", self._path, {"config": {mark: written(fields)}})

    async def _forget(self, report: Report) -> None:
        self.ground.entrance.forget(self._fields["declared"])

    async def _configure(self, report: Report) -> None:
        current = await self._current()
        config = {**kept(current["config"]), **self._config}
        await self._put(current, config=config, devices=self._fields["devices"])

    async def _let_go(self, report: Report) -> None:
        """Without its network card; only then another may have the address."""
        current = await self._current()
        devices = {**current["devices"], "eth0": {"type": "none"}}
        await self._put(current, config=current["config"], devices=devices)

    async def _put(self, current: Fields, **changed: Any) -> None:
        await self._send("PUT", self._path, {k: current[k] for k in _KEPT_FIELDS} | changed)

    async def _start(self, report: Report) -> None:
        status = (await self._current())["status"]
        action = {"Running": None, "Frozen": "unfreeze"}.get(status, "start")
        if action is not None:
            await self._set_state({"action": action, "timeout": -1})

    async def _stop(self, report: Report) -> None:
        """One that is deleted, or does not obey, is switched off. A connection that stays open would only be found dead a minute later."""
        await self.ground.leave(self._name)
        if self.change.action is not Action.DELETE:
            try:
                await self._set_state({"action": "stop", "timeout": _STOP_SECONDS})
                return
            except IncusError:
                report("does not shut down by itself: switching it off")
        await self._set_state({"action": "stop", "timeout": -1, "force": True})

    async def _delete(self, report: Report) -> None:
        await self._send("DELETE", self._path)

    async def _answers(self, report: Report) -> None:
        """By any port: a role may have moved SSH since."""
        deadline, declared = time.monotonic() + PATIENCE, self._fields["declared"]
        ports = dict.fromkeys([*self.ports, int(self._fields["delivered"]["port"])])
        report(f"waiting for SSH at {declared}")
        while time.monotonic() < deadline:
            for port in ports:
                if await self.ground.entrance.answers(declared, port):
                    return
            await asyncio.sleep(_PAUSE)
        raise BackendError(problems.does_not_answer(self._name, self._project, ports))

    async def _current(self) -> Fields:
        found: Fields = await self.ground.incus.get(self._path, project=self._project)
        return found

    async def _set_state(self, body: dict[str, object]) -> None:
        await self._send("PUT", f"{self._path}/state", body)

    async def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        report: Report | None = None,
    ) -> None:
        await self.ground.incus.send(method, path, body, progress=report, project=self._project)
