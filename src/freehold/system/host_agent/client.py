"""Asks the host's agent, from inside a control machine. Used by the modules that stand for the host's systems.

A connection a question. What cannot be asked is HostUnseen: the host's firewall is then not known, which is not the same as
not being there.
"""

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freehold.diagnostics import Diagnostic
from freehold.system.host_agent.messages import (
    LARGEST,
    CutOff,
    HostUnseen,
    answer_in,
    line,
    parsed,
)

PATIENCE = 90.0  # seconds for an answer: the agent itself waits 30 for a program, and for another's trial before


class AgentClient:
    """The agent behind the socket at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def ask(self, verb: str, **words: Any) -> Any:
        """The answer. Raises HostUnseen when there is none, HostRefused when it is no."""
        async with Conversation(self.path) as conversation:
            return await conversation.ask({"do": verb, **words})

    def ask_now(self, verb: str, **words: Any) -> Any:
        """The same for callers that are not asynchronous."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as handle:
                handle.settimeout(PATIENCE)
                handle.connect(str(self.path))
                handle.sendall(line({"do": verb, **words}))
                with handle.makefile("rb") as stream:
                    return answer_in(parsed(stream.readline(LARGEST)))
        except (OSError, ValueError) as error:
            raise unseen(self.path, error) from error


class Conversation:
    """One connection, open for several questions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> "Conversation":
        try:
            self._streams = await asyncio.open_unix_connection(str(self._path), limit=LARGEST)
        except OSError as error:
            raise unseen(self._path, error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def ask(self, message: Mapping[str, Any]) -> Any:
        """Raises HostUnseen, HostRefused."""
        if self._streams is None:
            raise unseen(self._path, ConnectionError("the connection is closed"))
        reader, writer = self._streams
        try:
            writer.write(line(message))
            await writer.drain()
            received = await asyncio.wait_for(reader.readline(), PATIENCE)
            return answer_in(parsed(received))
        except (OSError, ValueError) as error:
            raise unseen(self._path, error) from error

    def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def unseen(path: Path, error: Exception) -> HostUnseen:
    """That the agent does not answer, and what to do about it."""
    return HostUnseen(
        Diagnostic(
            code="host-unseen",
            summary="The firewall of the computer cannot be seen from inside this machine",
            detail=f"This is a control machine. Freehold's agent on the computer itself does not answer at {path}: {_reason(error)}.",
            hint="On the computer itself, in the estate's folder, this starts the agent:\n    freehold apply",
        )
    )


def _reason(error: Exception) -> str:
    """The device answers for an agent that does not run, and lets go in one of several ways."""
    if isinstance(error, TimeoutError):
        return "it is silent"
    if isinstance(error, ConnectionError | CutOff):
        return "it does not run"
    return getattr(error, "strerror", None) or str(error)
