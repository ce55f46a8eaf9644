"""Where packets are sent and awaited: inside a machine by Incus's exec, or on the host by a process of ours.

Both run `system/prober.py`. What a machine answers is not believed further than it must be: whoever owns the machine
owns the answer, so only numbers and words of the expected shape are taken over.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from freehold.diagnostics import BackendError
from freehold.operations.traffic.ends import End
from freehold.system import namespaces, processes
from freehold.system.incus.api import Incus, IncusCommandTimeout, IncusError

_FLAGS = (
    "-I",
    "-S",
)  # no site-packages, no variables: starts in half the time and is the same everywhere
_NOT_FOUND = (126, 127)  # how exec says that there is no such program (exit status of env(1))
_NO_PYTHON = "there is no python3 in it"
_SHORTEST = 10.0  # seconds for the prober itself to start and end on a busy machine


class CannotProbe(Exception):
    """The prober does not run here; the text says why. `gone`: nor can anything else answer from there."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class Station(Protocol):
    """Something that runs the prober."""

    async def ask(self, request: Mapping[str, object], seconds: float) -> Mapping[str, Any]:
        """The prober's answer to a request that takes up to `seconds`. Raises CannotProbe."""


@cache
def prober() -> str:
    """The text of the prober."""
    return files("freehold.system").joinpath("prober.py").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class MachineStation:
    """A machine: whatever Python 3 it has inside."""

    incus: Incus
    end: End

    async def ask(self, request: Mapping[str, object], seconds: float) -> Mapping[str, Any]:
        if self.end.problem:
            raise CannotProbe(self.end.problem, gone=True)
        command = ["python3", *_FLAGS, "-c", prober(), json.dumps(request, separators=(",", ":"))]
        try:
            done = await self.incus.execute(
                self.end.domain, self.end.instance, command, timeout=seconds + _SHORTEST
            )
        except IncusCommandTimeout as failure:
            raise CannotProbe("it did not answer in time", gone=True) from failure
        except IncusError as failure:
            raise _refusal(failure) from failure
        if done.exit_code in _NOT_FOUND:
            raise CannotProbe(_NO_PYTHON)
        return _answer(done.exit_code, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class HostStation:
    """The host of the estate. `lab` is the process that holds the lab's namespaces; None for this computer."""

    lab: int | None = None

    async def ask(self, request: Mapping[str, object], seconds: float) -> Mapping[str, Any]:
        argv = [sys.executable, *_FLAGS, "-c", prober(), json.dumps(request)]
        if self.lab is not None:
            argv = namespaces.enter_argv(self.lab, argv, "/")
        try:
            done = await asyncio.to_thread(processes.run, argv, timeout=seconds + _SHORTEST)
        except BackendError as failure:
            raise CannotProbe(failure.diagnostics[0].detail) from failure
        return _answer(done.code, done.output, done.errors)


def _answer(code: int, output: str, errors: str) -> Mapping[str, Any]:
    try:
        answer = json.loads(output) if code == 0 else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        said = (errors.strip().splitlines() or [f"exit code {code}"])[-1]
        raise CannotProbe(f"the prober failed in it: {said[:200]}")
    return answer


def _refusal(failure: IncusError) -> CannotProbe:
    said = failure.message.lower()
    if "command not found" in said:
        return CannotProbe(_NO_PYTHON)
    if "agent" in said:
        return CannotProbe("its agent (incus-agent) does not answer")
    if "not running" in said or failure.status == 404:
        return CannotProbe("it stopped meanwhile", gone=True)
    return CannotProbe(f"Incus refuses to run a command in it: {failure.message}")
