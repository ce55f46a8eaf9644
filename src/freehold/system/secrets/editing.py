"""Secrets in an editor: their text in a file that is only in memory, of its owner alone, and gone afterwards. Called by `cli.secret`."""

import os
import secrets as randomness
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.processes import find_program
from freehold.system.secrets.store import Values

_EDITORS = ("sensible-editor", "nano", "vi")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_PREFIX = "freehold-secrets-"


class Draft:
    """The text that is being edited. `path` is where it is as long as it is kept."""

    def __init__(self, text: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory_folder()))
        self.path = self._folder / "secrets.yml"
        self.write(text)

    def write(self, text: str) -> None:
        """Another text, for the user to go on with."""
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)

    def edited(self) -> str:
        """The text after the user's editor has ended. Raises BackendError when it cannot be started, failed or left no text."""
        command = [*_editor(), str(self.path)]
        with _interrupts_are_the_editor_s():
            try:
                code = subprocess.run(command, check=False).returncode
            except OSError as error:
                raise BackendError(_no_editor(command[0], error.strerror or "")) from error
        if code != 0:
            raise BackendError(_editor_failed(command[0], code))
        try:
            return self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BackendError(_editor_failed(command[0], code)) from error

    def shred(self) -> None:
        """Overwrite it, with what the editor left beside it, and take it away."""
        for each in self._folder.rglob("*"):
            if each.is_file() and not each.is_symlink():
                with each.open("r+b") as stream:
                    stream.write(randomness.token_bytes(each.stat().st_size))
        shutil.rmtree(self._folder)


def memory_folder() -> Path:
    """A folder that no disk has: what is written there is in memory, and gone with the power. Raises BackendError."""
    for name in ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", ""), "/run"):  # noqa: S108
        folder = Path(name)
        if name and _is_in_memory(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise BackendError(_nowhere())


def merged(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Callable[[Values], None]:
    """For `SecretsFile.change`: what was edited, and what others changed meanwhile. It raises BackendError where both did."""

    def change(values: Values) -> None:
        edited = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        if moved := sorted(name for name in edited if values.get(name) != before.get(name)):
            raise BackendError(_moved(moved))
        for name in edited:
            if name in after:
                values[name] = after[name]
            else:
                del values[name]

    return change


def _is_in_memory(folder: Path) -> bool:
    """By the last mount at or above the folder (proc_pid_mountinfo(5))."""
    found, kind = "", ""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        left, _, right = line.partition(" - ")
        place = left.split()[4].replace("\\040", " ")
        if folder.is_relative_to(place) and len(place) >= len(found):
            found, kind = place, right.split()[0]
    return folder.is_dir() and kind in _IN_MEMORY


def _editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if words := shlex.split(os.environ.get(variable, "")):
            return words
    for name in _EDITORS:
        if (program := find_program(name)) is not None:
            return [str(program)]
    raise BackendError(_no_editor("EDITOR", "is not set, and none of the usual ones is installed"))


@contextmanager
def _interrupts_are_the_editor_s() -> Iterator[None]:
    """Ctrl-C means something in most editors; it must not end us and leave the text behind."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """A terminal that is closed, and whoever asks us to end, let us clean up: SystemExit, with 128 and the signal's number (signal(7))."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {each: signal.signal(each, end) for each in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _no_editor(name: str, why: str) -> Diagnostic:
    return Diagnostic(
        code="no-editor",
        summary="No editor can be started",
        detail=f"{name} {why}.",
        hint="Say which:\n    EDITOR=nano freehold secret edit",
    )


def _editor_failed(name: str, code: int) -> Diagnostic:
    return Diagnostic(
        code="editor-failed",
        summary="The editor gave no text back",
        detail=f"`{name}` ended with exit code {code}. Nothing was changed.",
    )


def _nowhere() -> Diagnostic:
    return Diagnostic(
        code="no-memory-folder",
        summary="There is no place in memory for the text",
        detail="Neither /dev/shm nor XDG_RUNTIME_DIR nor /run is a tmpfs that you may write to, and on a disk it could be found later.",
        hint="Change one secret at a time, which needs no file:\n    freehold secret set NAME",
    )


def _moved(names: list[str]) -> Diagnostic:
    return Diagnostic(
        code="secrets-moved",
        summary="Somebody else changed the same secrets meanwhile",
        detail=f"{', '.join(names)}. Nothing was changed.",
        hint="Look at them as they are now:\n    freehold secret edit",
    )
