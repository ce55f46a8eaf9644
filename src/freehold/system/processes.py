"""Programs of the machine: finding them, running them, and knowing whether one that was started is still there.

Called by `operations` (the lab, the doctor) and by providers that must run a program. Synchronous: what is run
here takes a while anyway; asynchronous callers use `asyncio.to_thread`.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from freehold.diagnostics import BackendError, Diagnostic

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
SHOWN_LINES = 12


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended; `code` is negative when a signal ended it (as in `subprocess`)."""

    argv: tuple[str, ...]
    code: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, not to be mistaken for a later one that got the same number.

    `started` is in clock ticks since boot (proc_pid_stat(5), field 22); `boot` is the kernel's boot id.
    """

    pid: int
    started: int
    boot: str

    @property
    def alive(self) -> bool:
        return self == identify(self.pid)

    def signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def identify(pid: int) -> ProcessIdentity | None:
    """The process that has this number now; None when there is none or it is only waiting to be collected."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX":
        return None
    return ProcessIdentity(pid=pid, started=int(fields[19]), boot=boot_id())


def boot_id() -> str:
    """The kernel's name for the time since the last boot (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def search_path() -> str:
    """PATH with the system's own folders appended: a user's PATH often lacks the sbin ones."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += [folder for folder in SYSTEM_FOLDERS if folder not in folders]
    return os.pathsep.join(folders)


def find_program(name: str, also: Sequence[str] = ()) -> Path | None:
    """The program's path: the first that exists of `also` (absolute paths), else the first on the search path."""
    candidates = [
        *also,
        *(os.path.join(folder, name) for folder in search_path().split(os.pathsep)),
    ]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return Path(candidate)
    return None


def run(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    given: str | None = None,
    timeout: float | None = None,
) -> Finished:
    """Run a program to its end and return what it said. `environment` is added to this process's own.

    Raises BackendError when it cannot be started or takes longer than `timeout` seconds (it is then killed).
    """
    variables = {**os.environ, "PATH": search_path(), **(environment or {})}
    try:
        done = subprocess.run(
            list(argv), env=variables, cwd=folder, input=given, timeout=timeout,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise BackendError(_not_found(argv[0])) from error
    except subprocess.TimeoutExpired as error:
        raise BackendError(_too_slow(argv, error.timeout)) from error
    return Finished(tuple(argv), done.returncode, done.stdout, done.stderr)


def require(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    given: str | None = None,
    timeout: float | None = None,
) -> str:
    """Run a program that must succeed and return its output; BackendError with its last words otherwise."""
    done = run(argv, environment=environment, folder=folder, given=given, timeout=timeout)
    if done.code != 0:
        raise BackendError(_failed(done))
    return done.output


def _not_found(name: str) -> Diagnostic:
    return Diagnostic(
        code="program-missing",
        summary="A program that is needed is not installed",
        detail=f"`{name}` was not found.",
        hint="Run `scripts/prerequisites` in Freehold's folder; it installs all that is needed.",
    )


def _too_slow(argv: Sequence[str], seconds: float) -> Diagnostic:
    return Diagnostic(
        code="program-timeout",
        summary="A program took too long and was ended",
        detail=f"`{' '.join(argv)}` had not finished after {seconds:.0f} s.",
    )


def _failed(done: Finished) -> Diagnostic:
    said = (done.errors.strip() or done.output.strip()).splitlines()[-SHOWN_LINES:]
    ending = f"signal {-done.code}" if done.code < 0 else f"exit code {done.code}"
    return Diagnostic(
        code="program-failed",
        summary="A program failed",
        detail="\n".join([f"`{' '.join(done.argv)}` ended with {ending}.", *said]),
    )
