"""What Freehold may ask of a target, a host reached by SSH or a machine of Incus: the protocol of both and of the fake.

Called by the providers that work on targets (`providers.compose`, `providers.hosts`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from freehold.diagnostics import BackendError


class TargetFailed(BackendError):
    """The target could not be entered, or was lost in the middle; what was asked may or may not have been done."""


class TargetUnreached(TargetFailed):
    """The target could not be entered: nothing was done there."""


class TargetMissing(TargetUnreached):
    """The target is one that Freehold itself makes, and it is not there yet."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command on a target answered; bytes that are no UTF-8 stand in hexadecimal."""

    code: int
    output: str
    errors: str


class Target(Protocol):
    """One target, as root there."""

    @property
    def name(self) -> str:
        """As infra.yml names it: `cortex`, `homelab/web`."""

    async def run(
        self, command: Sequence[str], *, given: bytes = b"", timeout: float = 60.0
    ) -> Ended:
        """Run a program with `given` on its standard input. Secrets go there, never into `command`.

        A program that is not there ends with 127. Raises TargetFailed when the target does not answer, and when the program
        takes longer than `timeout` seconds; it is ended then.
        """

    async def write(
        self, path: str, content: bytes, *, mode: str = "0644", owner: str = "0:0"
    ) -> None:
        """Replace a file at once, with its folders (0755, root's) where they lack; `owner` is `UID:GID`, `mode` octal.

        Whoever reads it meets the old content or the new, and what stood there before is not written into. Raises TargetFailed.
        """

    async def read(self, path: str) -> bytes | None:
        """A file's content, None where there is none. Raises TargetFailed, also for what is no file."""


class Targets(Protocol):
    """The targets of an estate."""

    def target(self, name: str) -> Target:
        """The one that infra.yml calls so. Nothing is connected to before it is first asked something."""

    async def ansible_variables(self, name: str) -> Mapping[str, object]:
        """With what Ansible takes the way into a target that is open; nothing for a machine. Raises TargetUnreached."""

    async def close(self) -> None:
        """Give connections back."""
