"""Targets in memory: files, the few programs that tests need, and answers of one's own. For tests above them.

The contract tests (`tests/contract/test_targets.py`) hold them to what real targets do.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from freehold.diagnostics import Diagnostic
from freehold.system.targets import problems
from freehold.system.targets.api import Ended, Target, TargetFailed, TargetUnreached

Answers = Callable[[Sequence[str], bytes], Ended | None]
"""What a program answers to its words and its input; None for programs that are not its own."""


@dataclass(frozen=True, slots=True)
class FakeFile:
    """A file as it was written."""

    content: bytes
    mode: str = "0644"
    owner: str = "0:0"


@dataclass(slots=True)
class FakeTarget:
    """A target that knows `cat`, `true`, `false`, `sleep` and what `answers` answers; other programs are not there.

    Tests may read `ran` (commands with their input, in order) and `files`, and set `fails` to let everything raise.
    """

    name: str
    answers: Answers = lambda command, given: None
    files: dict[str, FakeFile] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: {"/", "/etc", "/tmp", "/var", "/var/lib"})  # noqa: S108 - one in memory
    ran: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    fails: TargetFailed | None = None

    async def run(
        self, command: Sequence[str], *, given: bytes = b"", timeout: float = 60.0
    ) -> Ended:
        await self._arrive()
        self.ran.append((tuple(command), given))
        answer = self.answers(command, given)
        return answer if answer is not None else await self._built_in(command, given, timeout)

    async def write(
        self, path: str, content: bytes, *, mode: str = "0644", owner: str = "0:0"
    ) -> None:
        await self._arrive()
        parents = list(_parents(path))
        if any(parent in self.files for parent in parents):
            raise problems.file_failed(self.name, path, "written", "Not a directory")
        if path in self.folders:
            raise problems.file_failed(self.name, path, "written", "it is a folder")
        self.folders.update(parents)
        self.files[path] = FakeFile(content, mode, owner)

    async def read(self, path: str) -> bytes | None:
        await self._arrive()
        if path in self.folders:
            raise problems.file_failed(self.name, path, "read", "Is a directory")
        found = self.files.get(path)
        return None if found is None else found.content

    async def _arrive(self) -> None:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails

    async def _built_in(self, command: Sequence[str], given: bytes, timeout: float) -> Ended:
        match list(command):
            case ["cat"]:
                return Ended(0, given.decode("utf-8", "backslashreplace"), "")
            case ["true"]:
                return Ended(0, "", "")
            case ["false"]:
                return Ended(1, "", "")
            case ["sleep", seconds]:
                await asyncio.sleep(min(float(seconds), timeout))
                if float(seconds) >= timeout:
                    raise problems.too_slow(self.name, "sleep", timeout)
                return Ended(0, "", "")
            case words:
                return Ended(127, "", f"{words[0]}: not found")


@dataclass(slots=True)
class FakeTargets:
    """Targets by name; one that is not there yet is made when it is asked for."""

    known: dict[str, FakeTarget] = field(default_factory=dict)

    def target(self, name: str) -> Target:
        return self.fake(name)

    def fake(self, name: str) -> FakeTarget:
        """The same, with what tests may look at."""
        return self.known.setdefault(name, FakeTarget(name))

    async def ansible_variables(self, name: str) -> Mapping[str, object]:
        target = self.fake(name)
        if target.fails is not None:
            raise target.fails
        return {} if "/" in name else {"ansible_ssh_args": f"-o ControlPath={name}"}

    async def close(self) -> None:
        """Nothing is held."""


def out_of_reach(name: str) -> TargetUnreached:
    """What a host raises that does not answer."""
    return TargetUnreached(
        Diagnostic(
            code="host-unreachable",
            summary="A host does not answer by SSH",
            detail=f"{name}: Connection refused",
        )
    )


def _parents(path: str) -> Sequence[str]:
    parts = path.split("/")[1:-1]
    return ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]
