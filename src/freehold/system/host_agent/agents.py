"""What may be asked about the agent itself: is it there, and have it there. Protocol and its form inside a control machine.

Called by `providers.control`; the real one on the host is in `program.py`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import freehold
from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.host_agent.charge import code_digest
from freehold.system.host_agent.client import AgentClient


@dataclass(frozen=True, slots=True)
class AgentState:
    """An agent as it is. `is_current`: it is of this Freehold; `answers`: it runs; `stays`: it will after a restart."""

    base: str
    is_current: bool
    answers: bool
    stays: bool = True


class Agents(Protocol):
    """The agents of one host, one an estate."""

    def socket(self, estate: str) -> Path:
        """Where on the host it listens."""

    async def read(self, estate: str) -> AgentState | None:
        """As it is; None when there is none. Raises BackendError."""

    async def keep(self, estate: str, base: str) -> None:
        """Have it run, now and from now on. Raises BackendError."""

    async def forget(self, estate: str) -> None:
        """Let go of it; nothing is left behind. Raises BackendError."""


class AgentItself:
    """Inside a control machine: the agent is asked about itself, and cannot be changed from there."""

    def __init__(self, agent: AgentClient) -> None:
        self._agent = agent

    def socket(self, estate: str) -> Path:
        return self._agent.path

    async def read(self, estate: str) -> AgentState | None:
        said = await self._agent.ask("hello")
        current = said["code"] == own_code()
        return AgentState(base=said["base"], is_current=current, answers=said["estate"] == estate)

    async def keep(self, estate: str, base: str) -> None:
        raise BackendError(_only_there())

    async def forget(self, estate: str) -> None:
        raise BackendError(_only_there())


@cache
def own_code() -> str:
    """The fingerprint of this Freehold."""
    return code_digest(Path(freehold.__file__).parent)


def _only_there() -> Diagnostic:
    return Diagnostic(
        code="only-on-the-host",
        summary="The agent of the computer is changed only on the computer itself",
        detail="This is a control machine, and the agent is its way to that computer.",
        hint="There, in the estate's folder:\n    freehold apply",
    )
