"""Brings one service to what infra.yml says, step by step; what ran before is put back when that fails. Called by `provider`.

The order: image, files, start, health. Until the new one is healthy the entry of the old one stays beside it in the target's Compose file
and its files stay in their folders, so that a run that was killed in between can still be taken back by the next.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.planning.change import Change, FieldChange
from freehold.planning.resource import Fields, Impact
from freehold.providers.compose import content, places, problems
from freehold.providers.compose.desired import STATE, Wanted
from freehold.providers.compose.docker import Docker
from freehold.providers.compose.entry import Entry
from freehold.providers.compose.project import Project
from freehold.providers.compose.waiting import seconds, until_serving
from freehold.providers.protocol import Report, Step
from freehold.system.secrets.masking import Masking


@dataclass(frozen=True, slots=True)
class Update:
    """One change of one service. `wanted` makes it anew, with the secrets that there are when it is carried out."""

    change: Change
    docker: Docker
    wanted: Callable[[], Wanted]
    masking: Callable[[], Masking]

    @property
    def steps(self) -> Sequence[Step]:
        """What is done; one that only stands still needs neither image nor files."""
        name = self.name
        start = [
            Step(f"start {name}", self._start),
            Step(f"wait until {name} serves", self._serve, only_waits=True),
        ]
        if not self._anew:
            return start
        fetch = Step(f"have the image of {name}", self._fetch)
        deliver = Step(f"deliver the files of {name}", self._deliver)
        has_files = not {"files", "secrets"}.isdisjoint(self.change.desired or ())
        return [fetch, *([deliver] if has_files else []), *start]

    @property
    def name(self) -> str:
        return places.name_of(self.change.address)

    @property
    def _anew(self) -> bool:
        """Whether anything but its standing still differs."""
        return self.change.observed is None or any(map(_restarts, self.change.fields))

    @property
    def _served(self) -> bool:
        """Whether what ran when the plan was made was healthy."""
        observed, desired = self.change.observed or {}, self.change.desired or {}
        return observed.get(STATE) == desired.get(STATE)

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
            ended = await self.docker.unpack(folder, content.archive(pieces), secret=secret)
            if ended.code:
                problem = problems.undelivered(self.docker.target.name, self.name, ended.errors)
                raise BackendError(problem)

    async def _start(self, report: Report) -> None:
        entry = _labelled(self.wanted())
        async with self.docker.project() as project:
            project.renew(self.name, entry, served=self._served)
            await self.docker.save(project)
            ended = await self.docker.up(self.name, anew=self._anew, stop_seconds=_stop(entry))
        if ended.code:
            problem = problems.not_started(self.change.address, self._masked(ended.errors))
            await self._fail(problem, report)

    async def _serve(self, report: Report) -> None:
        why = await until_serving(
            self.docker, self.name, self.wanted().entry, report, anew=self._anew
        )
        if why is not None:
            log = self._masked(await self.docker.last_words(self.name))
            await self._fail(problems.not_serving(self.change.address, why, log), report)
        async with self.docker.project() as project:
            project.previous.pop(self.name, None)
        await self._tidy(project)

    async def _fail(self, problem: Diagnostic, report: Report) -> None:
        """Have what ran before run again. Raises BackendError, with the problem and with what became of it."""
        report("taking it back")
        try:
            became = await self._put_back(report)
        except BackendError as error:
            raise BackendError(problem, *error.diagnostics) from error
        raise BackendError(problem, *became)

    async def _put_back(self, report: Report) -> list[Diagnostic]:
        async with self.docker.project() as project:
            previous = project.take_back(self.name)
            if previous is not None:
                await self.docker.save(project)
                await self.docker.up(self.name, anew=False, stop_seconds=_stop(previous))
        if previous is not None:
            why = await until_serving(self.docker, self.name, previous, report, anew=True)
            await self._tidy(project)
            return [problems.taken_back(self.change.address, why is None)]
        if not self._stood_still:
            return []
        await self.docker.stop(self.name, _stop(self.wanted().entry))
        container = f"{self.docker.estate}-{self.name}-1"
        return [problems.left_stopped(self.change.address, container)]

    async def _tidy(self, project: Project) -> None:
        """Delete the files of other versions."""
        for of in (places.files_folder, places.secrets_folder):
            folder = of(self.docker.estate, self.name)
            await self.docker.thin(folder, sorted(project.versions(self.name, folder)))

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
