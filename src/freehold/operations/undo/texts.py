"""infra.yml and the files of infra.d go back to earlier texts, byte for byte. A part of `course.py`'s run, carried out by `engine`.

What stands there now and is in no plan that is kept stays beside, as `infra.yml.before-undo-20261121-193012`.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.config.files import EXTRA_FOLDER, MAIN_FILE
from freehold.diagnostics import BackendError
from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.operations.undo.problems import unwritable
from freehold.planning.address import HOST, Address
from freehold.planning.change import Action, Change
from freehold.planning.plan import Plan
from freehold.planning.resource import Observed
from freehold.providers.protocol import Report, Step
from freehold.system.files import write_atomically

KIND = "file"  # as the files of the Ansible tree are called, which stand beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A `Planning` and its own carrier. `wanted` are the texts by their names; `known` are those that are kept elsewhere.

    `stamp` tells apart what is kept beside; `source` is the run whose texts they are, in words.
    """

    infra: Infra
    folder: Path
    wanted: Mapping[str, str]
    known: Mapping[str, str]
    stamp: str
    source: str

    @property
    def provider(self) -> "Texts":
        return self

    async def look(self) -> Picture:
        """What differs, one change a file."""
        now = await asyncio.to_thread(self._now)
        changes = tuple(self._changes(now))
        seen = {_address(n): Observed(address=_address(n), fields={"text": t}) for n, t in now.items()}  # fmt: skip
        return Picture(Plan(estate=self.infra.name, changes=changes), {}, seen)

    async def again(self, change: Change) -> Change | None:
        """What is left of a change."""
        changes = (await self.look()).plan.changes
        return next((each for each in changes if each.address == change.address), None)

    async def wait_ready(self, timeout: float) -> None:
        """A folder is always ready."""

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        name = change.address.name
        path = self.folder / name

        async def keep(report: Report) -> None:
            await asyncio.to_thread(_told, path, lambda: shutil.copy2(path, self._beside(path)))

        async def write(report: Report) -> None:
            await asyncio.to_thread(_told, path, lambda: _write(path, self.wanted[name]))

        async def delete(report: Report) -> None:
            await asyncio.to_thread(_told, path, lambda: path.unlink(missing_ok=True))

        deletes = change.action is Action.DELETE
        last = Step(f"delete {name}", delete) if deletes else Step(f"write {name}", write)
        keeps = bool((change.observed or {}).get("keeps"))
        return [Step(f"keep {self._beside(path).name}", keep), last] if keeps else [last]

    def _beside(self, path: Path) -> Path:
        return path.with_name(f"{path.name}.before-undo-{self.stamp}")

    def _now(self) -> dict[str, bytes]:
        """The files that count, by name; what cannot be read as text is compared all the same."""
        extra = sorted((self.folder / EXTRA_FOLDER).glob("*.yml"))
        names = [MAIN_FILE, *(f"{EXTRA_FOLDER}/{p.name}" for p in extra if p.name[0] != ".")]
        return {n: (self.folder / n).read_bytes() for n in names if (self.folder / n).is_file()}

    def _changes(self, now: Mapping[str, bytes]) -> Iterator[Change]:
        for name in sorted({*self.wanted, *now}):
            wanted = self.wanted[name].encode() if name in self.wanted else None
            if now.get(name) != wanted:
                yield self._change(name, now.get(name), wanted)

    def _change(self, name: str, now: bytes | None, wanted: bytes | None) -> Change:
        keeps = now is not None and now != self.known.get(name, "").encode()
        kept = f"; what it says now is kept as {self._beside(Path(name)).name}" if keeps else ""
        if now is None:
            action, reason = Action.CREATE, f"comes back as of {self.source}"
        elif wanted is None:
            action, reason = Action.DELETE, f"{self.source} did not have it"
        else:
            action, reason = Action.UPDATE, f"goes back to what {self.source} read"
        return Change(
            address=_address(name),
            action=action,
            reason=reason + kept,
            desired={},
            observed={"keeps": keeps},
        )


def _address(name: str) -> Address:
    return Address(HOST, KIND, name)


def _told(path: Path, work: Callable[[], object]) -> None:
    try:
        work()
    except OSError as error:
        raise BackendError(unwritable(path, error)) from error


def _write(path: Path, text: str) -> None:
    """Through a link, and owned by whom it was: the user goes on editing it."""
    path = path.resolve()
    path.parent.mkdir(exist_ok=True)
    like = (path if path.exists() else path.parent).stat()
    mode = like.st_mode & 0o777 if path.exists() else 0o644
    write_atomically(path, text, mode=mode)
    if os.geteuid() == 0:
        os.chown(path, like.st_uid, like.st_gid)
