"""The real Ansible: `ansible-playbook` of this Python environment, as a program of its own for each play.

Made by `cli`, used through `system.ansible.api`. Its output goes into a log, without the secrets of the estate; how it goes is
heard through a pipe, from the callback `freehold.estate.events` of the collection.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.ansible.api import Play, PlayEnd, TaskFailure, Told
from freehold.system.secrets.api import Secrets
from freehold.system.secrets.masking import Masking

_GRACE = 10.0  # seconds for a play that is asked to end
_LAST_LINES = 12
_LONGEST_LINE = 2**24  # bytes
_LAST_EVENTS = 2.0  # seconds for events that are still in the pipe
_CALLBACKS = "freehold.estate.events,freehold.estate.warm_up"


class AnsibleProgram:
    """Plays of the tree in `folder`. `environment` says where Incus is; `variables` are given to each play (`-e`).

    The values of `secrets` are masked in all that is written down or told.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        variables: Mapping[str, object] | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._folder = folder
        self._environment = environment or {}
        self._variables = variables or {}
        self._secrets = secrets

    async def run(self, play: Play, told: Told) -> PlayEnd:
        masking = Masking.of(self._secrets) if self._secrets is not None else Masking([])
        with _log(play.log) as log:
            process, events = await self._start(play)
            heard = _Heard(masking)
            listening = [
                asyncio.create_task(heard.listen(events, told)),
                asyncio.create_task(_written_down(process, log, masking)),
            ]
            try:
                code = await process.wait()
                # Whatever still holds the other end of a pipe has nothing more to say.
                await asyncio.wait(listening, timeout=_LAST_EVENTS)
            except BaseException:
                await _end(process)
                raise
            finally:
                for each in listening:
                    each.cancel()
        return heard.end(_last_words(play.log) if code and not heard.failures else "")

    async def _start(self, play: Play) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
        """In a session of its own, so that Ctrl-C reaches it when the run decides so, and not before."""
        ours, theirs = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv(play),
                cwd=self._folder,
                env={**os.environ, **self._variables_of_process(theirs)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=_LONGEST_LINE,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(ours)
            raise BackendError(_cannot_start(error)) from error
        finally:
            os.close(theirs)
        return process, await _reader(ours)

    def _argv(self, play: Play) -> list[str]:
        argv = [sys.executable, "-m", "ansible", "playbook", "site.yml", "--limit", play.host]
        argv += ["--tags", ",".join(play.tags)]
        if play.check:
            argv += ["--check", "--diff"]
        for name, value in {**self._variables, **play.variables}.items():
            argv += ["--extra-vars", json.dumps({name: value})]
        return argv

    def _variables_of_process(self, events: int) -> dict[str, str]:
        return {
            **self._environment,
            "ANSIBLE_CONFIG": str(self._folder.resolve() / "ansible.cfg"),
            "ANSIBLE_CALLBACKS_ENABLED": _CALLBACKS,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "FREEHOLD_EVENTS": str(events),
            "PYTHONWARNINGS": "ignore",
        }


@dataclass(slots=True)
class _Heard:
    """What the callback has told so far."""

    masking: Masking
    failures: list[TaskFailure] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    tasks: int = 0

    async def listen(self, events: asyncio.StreamReader, told: Told) -> None:
        """Take every event until Ansible has closed its end. A last line cut off by a kill is none."""
        while (line := await events.readline()).endswith(b"\n"):
            self.take(json.loads(line), told)

    def take(self, event: Mapping[str, Any], told: Told) -> None:
        role, task = str(event["role"]), str(event["task"])
        name = f"{role}: {task}" if role else task
        match event["event"]:
            case "task":
                told(name)
            case "changed":
                self.changed.append(name)
                self.tasks += 1
            case "ok":
                self.tasks += 1
            case kind:
                self.failures.append(
                    TaskFailure(
                        task=task,
                        role=role,
                        reason=self.masking.text(str(event["reason"])),
                        unreachable=kind == "unreachable",
                    )
                )

    def end(self, words: str) -> PlayEnd:
        return PlayEnd(
            failures=tuple(self.failures),
            changed=tuple(self.changed),
            tasks=self.tasks,
            words=words,
        )


@contextlib.contextmanager
def _log(path: Path) -> Iterator[int]:
    """The log, readable by its owner alone: what programs print is nobody else's business."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BackendError(_no_log(path, error)) from error
    try:
        yield handle
    finally:
        os.close(handle)


async def _written_down(process: asyncio.subprocess.Process, log: int, masking: Masking) -> None:
    """All that is printed, a line at a time; the rest of one that is longer than any program writes is left out."""
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            line = end.partial
        except asyncio.LimitOverrunError as error:
            await process.stdout.readexactly(error.consumed)
            line = b"(a line that is too long was left out)\n"
        if not line:
            return
        shown = masking.text(line.decode("utf-8", "replace"))
        with contextlib.suppress(OSError):  # a full disk costs the log its end, and not the play
            os.write(log, shown.encode("utf-8", "replace"))


async def _reader(handle: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(handle, "rb", buffering=0)
    )
    return reader


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the play to end with all its workers, then make it."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.shield(asyncio.wait_for(process.wait(), _GRACE))
            return


def _last_words(log: Path) -> str:
    """The end of the log: what Ansible said when it ended without a failed task (a syntax error, a killed process)."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_LAST_LINES:]) or "It ended without a word."


def _cannot_start(error: OSError) -> Diagnostic:
    return Diagnostic(
        code="ansible-not-started",
        summary="Ansible cannot be started",
        detail=f"{sys.executable} -m ansible: {error.strerror or error}.",
        hint="It comes with Freehold; install Freehold anew.",
    )


def _no_log(path: Path, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="cannot-write",
        summary="A file cannot be written",
        detail=f"{path}: {error.strerror or error}.",
        hint="Free some space or choose another place, then try again.",
    )
