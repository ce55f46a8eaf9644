"""The timer of scheduled snapshots, as one resource: `timer:host`. It makes those that Incus cannot make, and thins all.

There when infra.yml has a machine with a schedule, taken away again when it has none. Made by `cli`; driven by
`engine` through `providers.protocol.Provider`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.protocol import Observation, Report, Step
from freehold.system.timers.api import Timers
from freehold.system.timers.job import HOUR, Job
from freehold.system.timers.problems import only_there

KIND = Kind(name="timer", rank=1)
ADDRESS = Address(HOST, KIND.name)
_NONE = "none, no machine needs it"
_RUNS = "runs"
_STOPPED = "does not run"


class TimerProvider:
    """The timer of the estate in `folder` on one host.

    `timers` is None inside a control machine, from where it cannot be seen: then nothing is said or done about it.
    """

    def __init__(self, timers: Timers | None, folder: Path) -> None:
        self._timers = timers
        self._folder = folder.resolve()

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {KIND.name: KIND}

    async def observe(self, infra: Infra) -> Observation:
        state = await self._timers.read(infra.name) if self._timers else None
        if state is None:
            return Observation()
        fields = _fields(state.job, _RUNS if state.runs else _STOPPED)
        return Observation({ADDRESS: Observed(address=ADDRESS, fields=fields)})

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        if self._timers is None:
            return {}
        if any(machine.snapshots.is_scheduled for machine in infra.machines()):
            fields = _fields(self._timers.job(infra.name, self._folder), _RUNS)
        elif infra.domains and (seen := observation.observed.get(ADDRESS)):
            fields = {**seen.fields, "timer": _NONE}
        else:
            return {}
        return {ADDRESS: Desired(address=ADDRESS, fields=fields)}

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        timers, wanted = self._timers, change.desired
        if timers is None:  # a plan that was saved on the host
            return [Step("reach the computer", _refuse)]

        async def keep(report: Report) -> None:
            await timers.keep(timers.job(estate, self._folder))

        async def forget(report: Report) -> None:
            await timers.forget(estate)

        if wanted is None or wanted["timer"] == _NONE:
            return [Step("end the timer of scheduled snapshots", forget)]
        return [Step("start the timer of scheduled snapshots", keep)]

    async def wait_ready(self, timeout: float) -> None:
        """Nothing is asked of it in the course of a change that may be away for a moment."""


async def _refuse(report: Report) -> None:
    raise BackendError(only_there())


def _fields(job: Job, how: str) -> Fields:
    return {
        "folder": job.folder,
        "program": job.command,
        "variables": dict(job.variables),
        "every": "hour" if job.every == HOUR else f"{job.every:g} s",
        "timer": how,
    }
