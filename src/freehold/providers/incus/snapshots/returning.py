"""A machine goes back to a snapshot, with its volumes. Called by `steps.py`.

What is now is kept as a snapshot first. The volumes come back before the disk: while the instance carries the mark it is known
that they may be of another moment than the disk; bringing back the disk takes the mark away. Its settings stay those of
now, for infra.yml says them; only what tells of the disk's content comes from the snapshot.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from freehold.diagnostics import BackendError, BackendInterrupted
from freehold.providers.incus.marks import BOOT_TIMEOUT, IMAGE
from freehold.providers.incus.power import set_state, stop
from freehold.providers.incus.readiness import wait_for_address
from freehold.providers.incus.snapshots.cut_off import cut_off
from freehold.providers.incus.snapshots.parts import (
    bring_back_disk,
    bring_back_volume,
    disk,
    remove,
    take,
)
from freehold.providers.incus.snapshots.reading import Snapshot, Target, VolumePlace
from freehold.providers.incus.snapshots.unfinished import RESTORING, mark_instance
from freehold.providers.protocol import Report, Step
from freehold.system.incus.api import Incus, IncusError

_OF_THE_DISK = (IMAGE, "user.freehold.provisioned")
_SETTINGS = ("architecture", "description", "devices", "ephemeral", "profiles", "stateful")
_SERVERS_OWN = ("volatile.", "image.")


@dataclass(slots=True)
class MachineRestore:
    """One machine that goes back. `copy` names the snapshot that keeps what is now; empty: it is not kept.

    `settings` is the instance as it was before, once it was read; `is_kept`: the copy is whole.
    """

    incus: Incus
    target: Target
    snapshot: Snapshot
    copy: str
    copy_expires: datetime
    starts: bool
    settings: dict[str, Any] = field(default_factory=dict)
    is_kept: bool = False

    def from_within(self) -> Sequence[Step]:
        """Of the machine in which this process runs: Incus stops it, brings it back and starts it again in one request.

        This process ends on the way. The settings come back too; the next apply sees to them.
        """
        keep = [Step(f"keep what is now as {self.copy}", self._keep)] if self.copy else []
        return [*keep, Step(f"bring back {self.target.instance}: this session ends", self._disk)]

    def steps(self) -> Sequence[Step]:
        """In order; each may be done again."""
        target, name = self.target, self.snapshot.name
        steps = [Step(f"look at {target.instance}", self._look)]
        if target.is_running:
            steps.append(Step(f"stop {target.instance}", self._stop))
        if self.copy and target.restoring is None:
            steps.append(Step(f"keep what is now as {self.copy}", self._keep))
        steps.append(Step(f"say that {target.instance} goes back", self._mark))
        steps += [
            Step(f"bring back volume {place.name}", self._volume(place))
            for place in self.snapshot.volumes
        ]
        steps.append(Step(f"bring back {target.instance} of {name}", self._disk))
        steps.append(Step(f"configure {target.instance}", self._configure))
        if self.starts:
            steps.append(Step(f"start {target.instance}", self._start))
            steps.append(Step(f"wait for {target.instance}", self._wait, only_waits=True))
        return steps

    async def _look(self, report: Report) -> None:
        if not self.settings:
            self.settings = await self.incus.get(disk(self.target), project=self.target.domain)

    async def _stop(self, report: Report) -> None:
        await stop(self.incus, self.target.domain, self.target.instance, report)

    async def _keep(self, report: Report) -> None:
        """Again from the start when Incus went away in the middle: what it had of it may be half."""
        if self.is_kept:
            return
        if self.target.snapshot(self.copy):
            await remove(self.incus, self.target, self.copy, self.target.volumes)
        try:
            await take(self.incus, self.target, self.copy, self.copy_expires)
        except BackendInterrupted:
            raise
        except BackendError:
            await self._stay(report)
            raise
        self.is_kept = True

    async def _stay(self, report: Report) -> None:
        """Nothing was brought back yet: the machine goes on as it was."""
        report("removing what was made")
        await remove(self.incus, self.target, self.copy, self.target.volumes)
        if self.settings["status"] != "Stopped":
            await self._start(report)

    async def _mark(self, report: Report) -> None:
        await mark_instance(
            self.incus, self.target.domain, self.target.instance, self.snapshot.name
        )

    def _volume(self, place: VolumePlace) -> Callable[[Report], Awaitable[None]]:
        async def run(report: Report) -> None:
            with self._helpful():
                try:
                    await bring_back_volume(self.incus, self.target, place, self.snapshot.name)
                except IncusError:
                    # A daemon that came back starts what ran, even some time after we looked.
                    if not await self._runs():
                        raise
                    await self._stop(report)
                    await bring_back_volume(self.incus, self.target, place, self.snapshot.name)

        return run

    async def _disk(self, report: Report) -> None:
        with self._helpful():
            await bring_back_disk(self.incus, self.target, self.snapshot.name)

    @contextmanager
    def _helpful(self) -> Iterator[None]:
        try:
            yield
        except IncusError as error:
            raise cut_off(error, self.target, self.snapshot) from None

    async def _configure(self, report: Report) -> None:
        path = disk(self.target)
        now = await self.incus.get(path, project=self.target.domain)
        body = {key: self.settings[key] for key in _SETTINGS}
        body["config"] = _settled(self.settings["config"], now["config"])
        await self.incus.send("PUT", path, body, project=self.target.domain)

    async def _runs(self) -> bool:
        current = await self.incus.get(disk(self.target), project=self.target.domain)
        return bool(current["status"] == "Running")

    async def _start(self, report: Report) -> None:
        if not await self._runs():
            body: dict[str, object] = {"action": "start", "timeout": -1}
            await set_state(self.incus, self.target.domain, self.target.instance, body)

    async def _wait(self, report: Report) -> None:
        devices = self.settings["devices"]
        if "ipv4.address" not in devices.get("eth0", {}):
            return
        kind = {"container": "container", "virtual-machine": "vm"}[self.settings["type"]]
        timeout = self.settings["config"].get(BOOT_TIMEOUT, "")
        fields = {
            "name": self.target.instance,
            "type": kind,
            "devices": devices,
            "boot_timeout": timeout,
        }
        await wait_for_address(self.incus, self.target.domain, fields, report)


def _settled(before: Mapping[str, str], restored: Mapping[str, str]) -> dict[str, str]:
    """The settings of before, on the disk of the snapshot: what the server itself notes belongs to the disk."""
    servers = {k: v for k, v in restored.items() if k.startswith(_SERVERS_OWN)}
    of_disk = {key: restored[key] for key in _OF_THE_DISK if key in restored}
    gone = {*_OF_THE_DISK, RESTORING}
    kept = {
        key: value
        for key, value in before.items()
        if key not in gone and not key.startswith(_SERVERS_OWN)
    }
    return {**kept, **servers, **of_disk}
