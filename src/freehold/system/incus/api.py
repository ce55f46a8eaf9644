"""What the rest of Freehold may ask of an Incus server: the protocol of the real client and of the fake.

Paths are those of Incus's REST API (https://linuxcontainers.org/incus/docs/main/rest-api/) below `/1.0`, without
that prefix. Called by `providers.incus` and by `operations`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from freehold.diagnostics import BackendError, BackendInterrupted, Diagnostic

Progress = Callable[[str], None]
"""Receives a short text such as `rootfs: 45% (12MB/s)` while an operation runs."""

STARTING_OR_STOPPING = 503  # "Daemon setup in progress", "Shutting down": nothing was done
_BROKEN_OFF = (
    "context canceled", "signal: killed", "database is closed", "Shutting down",
    "Incus is shutting down",
)  # fmt: skip


def goes_away(status: int, message: str) -> bool:
    """Whether an error of the server means that it goes down, and not that it says no."""
    return status == STARTING_OR_STOPPING or message.endswith(_BROKEN_OFF)


class IncusError(BackendError):
    """Incus refused a request or an operation failed. `status` is the HTTP-like code (400, 404, 409, 500 …)."""

    def __init__(self, request: str, status: int, message: str) -> None:
        super().__init__(
            Diagnostic(
                code="incus-refused",
                summary="Incus refused a request",
                detail=f"{request}: {message} (status {status}).",
            )
        )
        self.request = request
        self.status = status
        self.message = message


class IncusUnavailable(BackendError):
    """No Incus answers at the address that was given."""

    def __init__(self, where: str, reason: str, hint: str) -> None:
        super().__init__(
            Diagnostic(
                code="incus-unavailable",
                summary="Incus cannot be reached",
                detail=f"{where}: {reason}.",
                hint=hint,
            )
        )


class IncusInterrupted(BackendInterrupted):
    """The server went away during a request or forgot an operation, as a restart of the daemon does."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(
            Diagnostic(
                code="incus-interrupted",
                summary="Incus went away in the middle",
                detail=f"{request}: {reason}.",
                hint="Run the same command again: it continues from what is real.",
            )
        )


class IncusNotUnderstood(BackendError):
    """What answers is not an Incus server, or not in a language that we know."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(
            Diagnostic(
                code="incus-not-understood",
                summary="The answer does not look like Incus",
                detail=f"{request}: {reason}.",
                hint="Is another program listening on the socket? `incus info` asks the same server.",
            )
        )


class IncusCommandTimeout(BackendError):
    """A command inside an instance did not end in time."""

    def __init__(self, instance: str, command: Sequence[str], timeout: float) -> None:
        super().__init__(
            Diagnostic(
                code="incus-command-timeout",
                summary="A command inside a machine did not end in time",
                detail=f"`{command[0] if command else ''}` in {instance} ran longer than {timeout:.0f} seconds.",
            )
        )


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command inside an instance answered."""

    exit_code: int
    stdout: str
    stderr: str


class Incus(Protocol):
    """One Incus server."""

    async def get(self, path: str, **query: str) -> Any:
        """The metadata of a GET. Raises IncusError (`status` 404 when there is no such thing)."""

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        progress: Progress | None = None,
        **query: str,
    ) -> Any:
        """Write, and wait until the operation that this started is over.

        Answers the metadata of the response or of the finished operation. Raises IncusError when it is refused
        or fails, IncusInterrupted when the server went away and the outcome is not known.
        """

    async def execute(
        self, project: str, instance: str, command: Sequence[str], *, timeout: float = 30.0
    ) -> ExecResult:
        """Run a command inside an instance, its output recorded by the server (`record-output`).

        It may be run twice where Incus intercepts its system calls (`security.syscalls.intercept.*`). Raises IncusCommandTimeout after `timeout` seconds, else what `send` raises.
        """

    async def wait_ready(self, timeout: float) -> None:
        """Return once the server answers. Raises IncusUnavailable when it does not within `timeout` seconds."""

    async def close(self) -> None:
        """Give connections back."""
