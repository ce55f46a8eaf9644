"""Brings one service to what infra.yml says, step by step; what ran before is put back when that fails. Called by `provider`.

The order: image, files, start, health, and the takeover of its secrets where the descriptor has one. Until all that is done the entry of the
old one stays beside it in the target's Compose file and its files stay in their folders, so that a run that was killed in between can still
be taken back by the next.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.planning.change import Change, FieldChange
from freehold.planning.resource import Fields, Impact
from freehold.providers.compose import content, places, plan_problems, problems, takeover
from freehold.providers.compose.copies import Noted, Phase
from freehold.providers.compose.data import Data
from freehold.providers.compose.desired import NOT_TAKEN_OVER, STATE, Wanted
from freehold.providers.compose.docker import Docker
from freehold.providers.compose.entry import Entry
from freehold.providers.compose.guarding import REFUSED
from freehold.providers.compose.starting import Start
from freehold.providers.compose.waiting import seconds, until_serving
from freehold.providers.protocol import Report, Step
from freehold.system.secrets.masking import Masking


@dataclass(frozen=True, slots=True)
class Update:
    """One change of one service. `wanted` makes it anew, with the secrets that there are when it is carried out.

    `keeps_secrets`: whether it keeps some in its data, so that they must be taken over.
    """

    change: Change
    docker: Docker
    wanted: Callable[[], Wanted]
    masking: Callable[[], Masking]
    keeps_secrets: bool
    data: Data

    @property
    def steps(self) -> Sequence[Step]:
        """What is done; one that only stands still needs neither image nor files."""
        name = self.name
        start = [
            self._starting,
            Step(f"wait until {name} serves", self._serve, only_waits=True),
        ]
        if self._takes_over:
            start.append(Step(f"have {name} take over its secrets", self._take_over))
        if not self._anew:
            return start
        fetch = Step(f"have the image of {name}", self._fetch)
        deliver = Step(f"deliver the files of {name}", self._deliver)
        has_files = not {"files", "secrets"}.isdisjoint(self.change.desired or ())
        return [fetch, deliver, *start] if has_files else [fetch, *start]

    @property
    def _starting(self) -> Step:
        """One step with the copy: a run that is asked to stop in between would leave it standing still."""
        what = "copy the data of {} and start it" if self.data.will_be_copied else "start {}"
        return Step(what.format(self.name), self._start)

    @property
    def name(self) -> str:
        return places.name_of(self.change.address)

    @property
    def _anew(self) -> bool:
        """Whether anything but its standing still differs."""
        return self.change.observed is None or any(map(_restarts, self.change.fields))

    @property
    def _takes_over(self) -> bool:
        """Whenever its container is made anew, for its data may have come back from elsewhere; and when that was not done."""
        state = str((self.change.observed or {}).get(STATE))
        return (self._anew and self.keeps_secrets) or state.endswith(NOT_TAKEN_OVER)

    @property
    def _served(self) -> Fields | None:
        """What ran when the plan was made, where it was healthy, with secrets that it had taken over."""
        observed, desired = self.change.observed or {}, self.change.desired or {}
        if observed.get(STATE) != desired.get(STATE):
            return None
        return {path: value for path, value in observed.items() if path != STATE}

    @property
    def _stood_still(self) -> bool:
        """Whether nothing ran then; what runs badly is left to Docker, which goes on starting it."""
        observed = self.change.observed
        return observed is None or str(observed.get(STATE)).startswith(("created", "exited"))

    async def _fetch(self, report: Report) -> None:
        image = self.wanted().service.image or ""
        report(image)
        await self.docker.fetch(image)

    async def _deliver(self, report: Report) -> None:
        wanted = self.wanted()
        for secret in (False, True):
            pieces = wanted.contents.of(secret=secret)
            if not pieces:
                continue
            version = wanted.contents.version(secret=secret)
            folder = content.folder(self.docker.estate, wanted.service, version, secret=secret)
            if secret and self.keeps_secrets:
                pieces = (*pieces, takeover.MARK)
            ended = await self.docker.unpack(folder, content.archive(pieces), secret=secret)
            if ended.code:
                problem = problems.undelivered(self.docker.target.name, self.name, ended.errors)
                raise BackendError(problem)

    async def _start(self, report: Report) -> None:
        entry = _labelled(self.wanted())
        noted = await self._prepared(entry, report)
        start = Start(
            name=self.name,
            entry=entry,
            anew=self._anew,
            served=None if self.data.came_back else self._served,
            stop_seconds=_stop(entry),
            copy=noted.entry() if noted else None,
        )
        ended = await self.docker.starts.start(start)
        if ended.code == REFUSED:
            was_stopped = self.data.taken or self.data.came_back
            became = await self.data.go_on() if was_stopped else ()
            await self._reconnect()
            problem = plan_problems.place_taken(self.change.address, ended.errors)
            raise BackendError(problem, *became)
        if ended.code:
            problem = problems.not_started(self.change.address, self._masked(ended.errors))
            await self._fail(problem, report)

    async def _prepared(self, entry: Entry, report: Report) -> Noted | None:
        """Its data, before it is started: it may be copied, or come back first."""
        try:
            return await self.data.before_start(str(entry["image"]), _stop(entry), report)
        except BackendError:
            await self._reconnect()
            raise

    async def _serve(self, report: Report) -> None:
        why = await until_serving(
            self.docker, self.name, self.wanted().entry, report, anew=self._anew
        )
        if why is not None:
            log = self._masked(await self.docker.last_words(self.name))
            await self._fail(problems.not_serving(self.change.address, why, log), report)
        if self.data.came_back and self.keeps_secrets and not self._takes_over:
            await self._take_over(report)
        elif not self._takes_over:
            await self._settle()

    async def _take_over(self, report: Report) -> None:
        failed = await takeover.take_over(self.docker, self.name, self.wanted().entry)
        if failed is not None:
            said = self._masked(f"{failed.output}\n{failed.errors}")
            problem = problems.not_taken_over(self.change.address, failed.code, said)
            await self._fail(problem, report)
        await self._settle()

    async def _settle(self) -> None:
        await self.data.served(str(self.wanted().entry["image"]))
        await self.docker.starts.settle(self.name)

    async def _fail(self, problem: Diagnostic, report: Report) -> None:
        """Have what ran before run again. Raises BackendError, with the problem and with what became of it."""
        report("taking it back")
        try:
            became = await self._put_back(report)
        except BackendError as error:
            raise BackendError(problem, *error.diagnostics) from error
        raise BackendError(problem, *became)

    async def _put_back(self, report: Report) -> list[Diagnostic]:
        """What ran before, as it is noted in the target's file before anything is done: then the data, then the start."""
        noted = await self.data.noted()
        async with self.docker.project() as project:
            previous = project.take_back(self.name)
            going = self.data.goes_back_to(noted, previous)
            if previous is not None:
                await takeover.mark(self.docker, self.name, previous)
            if going is not None:
                project.copies[self.name] = going.entry()
        if going is not None:
            noted = await self.data.bring_back(going, _stop(self.wanted().entry), report)
        if previous is not None:
            return [await self._run_again(previous, noted, report, restored=going is not None)]
        if not (self._stood_still or going):
            return []
        await self.docker.stop(self.name, _stop(self.wanted().entry))
        container = places.container_name(self.docker.estate, self.name)
        return [problems.left_stopped(self.change.address, container)]

    async def _run_again(
        self, previous: Entry, noted: Noted | None, report: Report, *, restored: bool
    ) -> Diagnostic:
        async with self.docker.project() as project:
            await self.docker.up(self.name, anew=False, stop_seconds=_stop(previous))
        why = await until_serving(self.docker, self.name, previous, report, anew=True)
        # The new one may have got as far as to keep the new secrets: the old one takes its own over again.
        failed = why or await takeover.take_over(self.docker, self.name, previous)
        await self.docker.thin(project, [self.name])
        await self._reconnect()
        if why is None and noted is not None and noted.phase is Phase.BACK:
            await self.data.old_serves(noted)
        return problems.taken_back(
            self.change.address,
            healthy=why is None,
            took_over=failed is None,
            data=self.data.told(noted if restored else None),
            restored=restored,
        )

    async def _reconnect(self) -> None:
        """Those that run and have its network lost it when it was started again; their own changes wait for one that failed."""
        async with self.docker.project() as project:
            guests = project.sharing(self.name)
            states = {name: await self.docker.watch.state(name, at_once=True) for name in guests}
            run = [name for name, state in states.items() if state and state.status == "running"]
            if run:
                longest = max(_stop(guests[name]) for name in run)
                await self.docker.up(*run, anew=True, stop_seconds=longest)

    def _masked(self, text: str) -> str:
        return self.masking().text(text)


def _labelled(wanted: Wanted) -> Entry:
    """The entry with what the plan compares on it, so that the container itself says what it is."""
    compared: Fields = {key: value for key, value in wanted.fields.items() if key != STATE}
    text = json.dumps(compared, sort_keys=True, separators=(",", ":"))
    labels = {**wanted.entry["labels"], places.FIELDS_LABEL: text}
    return {**wanted.entry, "labels": labels}


def _restarts(field: FieldChange) -> bool:
    return field.impact is not Impact.LIVE


def _stop(entry: Mapping[str, Any]) -> float:
    return seconds(entry.get("stop_grace_period"))
