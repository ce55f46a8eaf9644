"""Hosts as targets: each entered once, when it is first asked something. Made by `estate.py`.

`ssh` of infra.yml is tried, then `first`; the way that let us in serves until it is lost.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold.model.hosts import Host, Ssh
from freehold.system.targets.api import TargetMissing
from freehold.system.targets.commands import Answer, Commands
from freehold.system.targets.master import Master, entered
from freehold.system.targets.problems import NotEntered, not_there, unreached
from freehold.system.targets.way import SshOptions

IsThere = Callable[[], Awaitable[bool]]
"""Whether the computer exists; asked where Freehold itself makes it."""


@dataclass(frozen=True, slots=True)
class Entered:
    """How a host was entered: by which way, and the socket through which others pass."""

    ssh: Ssh
    socket: Path


class SshTarget(Commands):
    """A host. `socket` is where its connection listens, in a folder that nobody else may enter."""

    def __init__(
        self, host: Host, options: SshOptions, socket: Path, is_there: IsThere | None = None
    ) -> None:
        super().__init__(host.name, self._through)
        self.host = host
        self._options = options
        self._socket = socket
        self._is_there = is_there
        self._master: Master | None = None
        self._entering: asyncio.Task[Master] | None = None

    async def enter(self) -> Entered:
        """The way in, opened where it is not. Raises TargetUnreached; TargetMissing where the computer is yet to be made."""
        master = await self._opened()
        return Entered(master.ssh, master.socket)

    async def close(self) -> None:
        """End the connection; what is asked next opens another."""
        if self._entering is not None:
            self._entering.cancel()
            await asyncio.wait([self._entering])
        if self._master is not None:
            await self._master.close()
            self._master = None

    async def _through(self, command: Sequence[str], given: bytes, seconds: float) -> Answer:
        master = await self._opened()
        return await master.run(command, given, seconds)

    async def _opened(self) -> Master:
        """Who asks while another enters waits for the same answer, also when it is no."""
        if self._entering is None and self._master is not None and self._master.alive:
            return self._master
        if self._entering is None:
            self._entering = asyncio.create_task(self._anew())
            self._entering.add_done_callback(self._settle)
        return await asyncio.shield(self._entering)

    def _settle(self, entering: asyncio.Task[Master]) -> None:
        self._entering = None
        if not entering.cancelled() and entering.exception() is None:
            self._master = entering.result()

    async def _anew(self) -> Master:
        if self._master is not None:
            await self._master.close()
            self._master = None
        return await self._enter()

    async def _enter(self) -> Master:
        if self._is_there is not None and not await self._is_there():
            raise TargetMissing(not_there(self.name))
        with contextlib.suppress(OSError):  # where it cannot be written, keys are not kept
            self._options.known_hosts.parent.mkdir(parents=True, exist_ok=True)
        tries: list[NotEntered] = []
        for ssh in (self.host.ssh, self.host.first):
            if ssh is None or any(each.key_changed for each in tries):
                continue
            self._socket.unlink(missing_ok=True)
            found = await entered(self.name, self.host.address, ssh, self._options, self._socket)
            if isinstance(found, Master):
                return found
            tries.append(found)
        raise unreached(self.host, self._options, tries)
