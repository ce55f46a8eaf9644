"""The Compose files in the estate's folder as resources: `compose:cortex` is compose/cortex/compose.yml. Called by `provider`.

They are Freehold's as a whole, to be read and kept in git; what is to run differently is said in infra.yml.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.compose import places, problems
from freehold.providers.compose.project import HEADING
from freehold.providers.protocol import Report, Step
from freehold.system import kept_files
from freehold.system.kept_files import Unusable

KIND = Kind(name=places.COMPOSE, rank=6)
_FOLDER, _FILE = "compose", "compose.yml"
_LENGTH = 12  # hexadecimal digits
_SERVICE = re.compile(r"  ([^ ].*):")


class ComposeFiles:
    """Those of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: Mapping[str, str] = {}

    async def targets(self) -> set[str]:
        """The targets that have a file: services ran there, and may still."""
        return await asyncio.to_thread(lambda: set(self._names()))

    async def observed(self, infra: Infra) -> Mapping[Address, Observed]:
        """The files as they are."""
        return await asyncio.to_thread(lambda: dict(self._observed(infra)))

    def desired(self, texts: Mapping[str, str]) -> Iterator[Desired]:
        """The files as they are to be, by target; kept for `steps`."""
        self._texts = texts
        for target, text in texts.items():
            yield Desired(address=places.compose_address(target), fields=_fields(text))

    def steps(self, change: Change) -> Sequence[Step]:
        """Write it, or delete it."""
        target = places.target_of(change.address)
        name = places.file_name(target)
        if change.action is Action.DELETE:
            return [self._step(f"delete {name}", name, lambda: self._delete(name))]
        content = self._texts[target].encode()
        work = lambda: kept_files.write(self._folder, name, content)  # noqa: E731
        return [self._step(f"write {name}", name, work)]

    def _names(self) -> Iterator[str]:
        top = self._folder / _FOLDER
        for path in (*top.glob(f"*/{_FILE}"), *top.glob(f"*/*/{_FILE}")):
            yield str(path.parent.relative_to(top))

    def _observed(self, infra: Infra) -> Iterator[tuple[Address, Observed]]:
        wanted = {service.target for service in places.own_services(infra)}
        for target in sorted({*self._names(), *wanted}):
            seen = self._look(target, wanted)
            if seen is not None:
                yield seen.address, seen

    def _look(self, target: str, wanted: set[str]) -> Observed | None:
        """Nothing that is wrong with a file keeps the others from being looked at."""
        address, name = places.compose_address(target), places.file_name(target)
        try:
            content = kept_files.read(self._folder, name)
        except Unusable as problem:
            return Observed(address=address, fields={"file": str(problem)}, has_data=False)
        if content is None:
            return None
        text = content.decode("utf-8", "replace")
        ours = text.startswith(HEADING)
        if not ours and target not in wanted:
            return None
        adopt = f"mv {self._folder / name} {self._folder / name}.old"
        return Observed(
            address=address, fields=_fields(text), owned=ours, adopt=adopt, has_data=False
        )

    def _delete(self, name: str) -> None:
        """With the folders that it leaves empty."""
        kept_files.delete(self._folder, name)
        top = self._folder / _FOLDER
        for folder in (self._folder / name).parents:
            if not folder.is_relative_to(top):
                return
            try:
                folder.rmdir()
            except OSError:  # there is more in it, or the file beside it went at the same time
                return

    def _step(self, words: str, name: str, work: Callable[[], None]) -> Step:
        async def run(report: Report) -> None:
            path = self._folder / name
            try:
                await asyncio.to_thread(work)
            except OSError as error:
                why = error.strerror or str(error)
                raise BackendError(problems.unwritable(path, why)) from error
            except Unusable as problem:
                raise BackendError(problems.unwritable(path, f"it {problem}")) from problem

        return Step(words, run)


def _fields(text: str) -> Fields:
    """What a plan shows: which services there are, and whether anything else in the file differs."""
    return {"services": _services(text), "text": _digest(text)}


def _services(text: str) -> list[str]:
    """As `project` writes them; a parser would take longer than all the rest of a plan."""
    inside, found = False, []
    for line in text.splitlines():
        if not line.startswith(" "):
            inside = line == "services:"
        elif inside and (match := _SERVICE.fullmatch(line)):
            found.append(match[1].strip("'"))
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
