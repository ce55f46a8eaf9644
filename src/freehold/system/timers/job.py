"""What a timer runs, and how that ended the last time: files beside each other in one folder.

Used by `systemd.py`, `process.py` and `loop.py`. No secrets are in them.
"""

import hashlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import freehold
from freehold.system.files import write_atomically

HOUR = 3600.0  # seconds
JOB = ".timer"
_RAN = ".ran"
_VERB = ("snapshot", "due")
_SHOWN = 4096  # characters of output
_NOT_INSTALLED = (
    "import sys; sys.path.insert(0, {root!r}); from freehold.cli.entry import main; main()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`folder` is the estate's, absolute; `program` how Freehold is called; `every` in seconds."""

    estate: str
    folder: str
    program: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    every: float = HOUR

    @property
    def argv(self) -> tuple[str, ...]:
        return (*self.program, "-C", self.folder, *_VERB)

    @property
    def command(self) -> str:
        """How Freehold is called, as people read it."""
        return shlex.join(self.program)


@dataclass(frozen=True, slots=True)
class LastRun:
    """When the command ended and how: its exit code, negative for a signal; `output` are its last words, where they are kept."""

    at: datetime
    code: int
    output: str = ""


def own_program() -> tuple[str, ...]:
    """How this Freehold is called from anywhere: its command beside its Python, else by that Python alone."""
    command = Path(sys.executable).with_name("freehold")
    if os.access(command, os.X_OK):
        return (str(command),)
    root = str(Path(freehold.__file__).parents[1])
    return (sys.executable, "-P", "-c", _NOT_INSTALLED.format(root=root))


def path_of(folder: Path, estate: str) -> Path:
    """Where the job of an estate is written down."""
    return folder / f"{estate}{JOB}"


def socket_of(path: Path) -> Path:
    """Where the process of that job listens; short, for a socket's path may not be long (unix(7))."""
    return path.with_name(f"{hashlib.sha256(path.stem.encode()).hexdigest()[:8]}.t")


def ran_of(path: Path) -> Path:
    """Where it stands how the job ended the last time."""
    return path.with_suffix(_RAN)


def write_job(path: Path, job: Job) -> None:
    """Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, json.dumps(asdict(job), indent=1) + "\n", mode=0o600)


def read_job(path: Path) -> Job | None:
    """None when there is none, or none that this version understands. Raises OSError for any other reason."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Job(
            estate=str(said["estate"]),
            folder=str(said["folder"]),
            program=tuple(map(str, said["program"])),
            variables={str(key): str(value) for key, value in said["variables"].items()},
            every=max(float(said["every"]), 1.0),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def note_run(path: Path, code: int, output: str) -> None:
    """Write down that the command has just ended. Raises OSError."""
    document = {"at": datetime.now(UTC).timestamp(), "code": code, "output": output[-_SHOWN:]}
    write_atomically(ran_of(path), json.dumps(document) + "\n", mode=0o600)


def read_run(path: Path) -> LastRun | None:
    """How it ended the last time; None when nothing is known."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(ran_of(path).read_text(encoding="utf-8"))
        at = datetime.fromtimestamp(float(said["at"]), UTC)
        return LastRun(at, _code(said["code"]), str(said.get("output", "")))
    return None


def _code(said: str | int) -> int:
    """systemd says a number, or a signal by its name: `TERM` ($EXIT_STATUS in systemd.exec(5))."""
    text = str(said)
    return int(text) if text.lstrip("-").isdigit() else -int(signal.Signals[f"SIG{text}"])
