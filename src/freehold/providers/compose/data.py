"""The data of one service on its way from one version to another, and back. Used by `update`.

The target's Compose file notes a copy together with the entry that is started on the data (`copies.Noted`), and going back together with the
entry that is gone back to. So whoever comes after a killed run knows whose data there is: no version is started on what another has left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from freehold.diagnostics import BackendError, Diagnostic
from freehold.planning.change import Change
from freehold.providers.compose import places, problems, takeover
from freehold.providers.compose.copies import Copies, Noted, Phase, name_of
from freehold.providers.compose.desired import STATE
from freehold.providers.compose.docker import Docker
from freehold.providers.compose.entry import Entry
from freehold.providers.protocol import Report
from freehold.system.targets import Ended

_DONE = Ended(0, "", "")


@dataclass(slots=True)
class Data:
    """That of the service of one change. `asked`: the run is to copy it before another image works on it.

    `elsewhere`: where it may have data that is never copied. `taken` by this run; `came_back` in this run, before anything was started.
    """

    change: Change
    docker: Docker
    copies: Copies
    asked: bool
    elsewhere: tuple[str, ...] = ()
    taken: bool = field(default=False, init=False)
    came_back: bool = field(default=False, init=False)
    _stopped: Sequence[str] = field(default=(), init=False)
    _whose: str = field(default="", init=False)

    @property
    def name(self) -> str:
        return places.name_of(self.change.address)

    @property
    def will_be_copied(self) -> bool:
        """As far as the plan knows: a killed run may have left more to do."""
        other = any(each.path == "image" and each.before for each in self.change.fields)
        return self.asked and other and bool(self.copies.volumes)

    async def before_start(self, image: str, stop: float, report: Report) -> Noted | None:
        """What must be done before this image works on the data; what is to be noted when it is started. Raises BackendError.

        It is stopped for a copy; when that fails it goes on as it was.
        """
        noted = await self._finished(await self.noted(), image, stop, report)
        current = None if noted is None or self._is_void(noted) else noted
        phase = current and current.phase
        whose = current.image if current and phase is not Phase.TAKEN else await self._image()
        self._whose = whose
        asked = self.asked or phase is Phase.BACK  # that is the only good one
        if whose == image or not self.copies.volumes:
            return None if phase is Phase.COPYING else current
        if not asked:  # a copy that nothing was started after is as good as one of this run's
            return noted if noted and noted.phase is Phase.TAKEN and not self._served else None
        try:
            noting = phase in (None, Phase.COPYING)
            taken = await self._copy(self._stale(noted), stop, report, noting=noting)
        except BackendError as error:
            raise BackendError(*error.diagnostics, *await self.go_on()) from error
        # One goes back to what has served, not to what came after it.
        return current if phase is Phase.TAKEN else taken

    async def go_on(self) -> tuple[Diagnostic, ...]:
        """Have what the data belongs to run as before, which was stopped for its copy; what of that could not be done."""
        container = places.container_name(self.docker.estate, self.name)
        try:
            ended = await self._started_again(self._stopped or [container])
        except BackendError as error:
            return tuple(error.diagnostics)
        if ended.code == 0:
            return ()
        return (problems.not_started_again(self.change.address, container, ended.errors),)

    async def noted(self) -> Noted | None:
        """What stands of it in the target's Compose file."""
        async with self.docker.project() as project:
            return Noted.read(project.copies.get(self.name))

    def goes_back_to(self, noted: Noted | None, previous: Entry | None) -> Noted | None:
        """The copy with which an update is taken back that failed, as it is to be noted; what a later run finds there is kept aside."""
        if noted is None or noted.phase is not Phase.TAKEN or not (self.taken or previous):
            return None
        return self._going_back(noted, name_of(str((self.change.desired or {}).get("image", ""))))

    async def bring_back(self, noted: Noted, stop: float, report: Report) -> Noted:
        """Have the data as it was before the update; the note says so already. Raises BackendError."""
        report("bringing its data back")
        await self.docker.stop(self.name, stop)
        await self.copies.bring_back(noted)
        back = replace(noted, phase=Phase.BACK)
        await self._note(back)
        return back

    def told(self, back: Noted | None) -> str:
        """What became of it, where an update was taken back: in words."""
        if back is None:
            return problems.data_after(came_back=False)
        aside = f"{self.copies.folder}/{back.aside}" if back.aside else ""
        return problems.data_after(came_back=True, elsewhere=self.elsewhere, aside=aside)

    async def served(self, image: str) -> None:
        """This image serves, as a health check or a while has shown: there is no way back any more, but by hand."""
        noted = await self.noted()
        if noted is not None:
            await self.copies.thin(noted, image)

    async def old_serves(self, noted: Noted) -> None:
        """What was gone back to serves on its own data."""
        await self.copies.emptied(noted)
        await self._note(None)

    async def _finished(
        self, noted: Noted | None, image: str, stop: float, report: Report
    ) -> Noted | None:
        """A way back that a killed run has begun is gone to its end; and one to the version that infra.yml asks for again."""
        if noted is None or noted.phase in (Phase.COPYING, Phase.BACK):
            return noted
        if noted.phase is Phase.TAKEN and (self._is_void(noted) or noted.image != image):
            return noted
        if noted.phase is Phase.TAKEN and not self.asked:
            path = f"{self.copies.folder}/{noted.copy}"
            raise BackendError(problems.update_unfinished(self.change.address, path))
        newer = await self._image()
        async with self.docker.project() as project:
            previous = project.take_back(self.name)
            if previous is not None:
                await takeover.mark(self.docker, self.name, previous)
            going = self._going_back(noted, noted.aside or name_of(newer))
            project.copies[self.name] = going.entry()
        self.came_back = True
        return await self.bring_back(going, stop, report)

    def _going_back(self, noted: Noted, aside: str) -> Noted:
        """Nobody can have worked with what this very run has started and not seen serve; else it may be worth something."""
        return replace(noted, phase=Phase.GOING_BACK, aside="" if self.taken else aside)

    def _is_void(self, noted: Noted) -> bool:
        """Whether the data is that of what stands there now: it served when the plan was made, or nothing else was ever started on it."""
        if noted.phase is Phase.GOING_BACK:
            return False
        return self._served or (noted.phase is Phase.TAKEN and noted.image == self._seen_image)

    @property
    def _served(self) -> bool:
        observed, desired = self.change.observed or {}, self.change.desired or {}
        return not self.came_back and STATE in observed and observed[STATE] == desired.get(STATE)

    @property
    def _seen_image(self) -> str:
        return str((self.change.observed or {}).get("image", ""))

    async def _image(self) -> str:
        """Whose data there is, where nothing is noted of it: of what stands there, else of what stood there last."""
        async with self.docker.project() as project:
            return self._seen_image or str(project.entries.get(self.name, {}).get("image", ""))

    def _stale(self, noted: Noted | None) -> str:
        """A copy that is worth nothing: it is in its place again, or that place still has the same and newer."""
        if noted is None or (noted.phase is Phase.TAKEN and noted.image != self._seen_image):
            return ""
        return noted.copy

    async def _copy(self, stale: str, stop: float, report: Report, *, noting: bool) -> Noted | None:
        """It is noted before, so that the next run knows of it; but not where one is noted already that is worth more."""
        noted = Noted(name_of(self._whose), self._whose)
        if noting and stale:
            await self._note(replace(noted, phase=Phase.COPYING))
        room = await self.copies.room(stale)
        if room is None:
            return None
        report(room)
        if noting and not stale:
            await self._note(replace(noted, phase=Phase.COPYING))
        self._stopped = await self.docker.stop(self.name, stop)
        await self.copies.take(noted)
        self.taken = True
        return noted

    async def _started_again(self, containers: Sequence[str]) -> Ended:
        """What only stood still when the plan was made was to be started by it."""
        state = str((self.change.observed or {}).get(STATE))
        if self._seen_image == self._whose:
            stands = self._stopped or state.startswith(("created", "exited"))
            return await self.docker.go_on(containers) if stands else _DONE
        if not (self.change.observed or self.came_back):
            return _DONE
        async with self.docker.project() as project:
            if project.entries.get(self.name, {}).get("image") != self._whose:
                return Ended(1, "", f"nothing is there that was started of {self._whose}")
            return await self.docker.up(self.name, anew=False, stop_seconds=0)

    async def _note(self, noted: Noted | None) -> None:
        async with self.docker.project() as project:
            project.copies.pop(self.name, None)
            if noted is not None:
                project.copies[self.name] = noted.entry()
