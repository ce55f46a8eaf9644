"""Machines of Incus as targets: commands with recorded output, their input by Incus's file API. Made by `estate.py`.

The way is that of `system.warm.recorded`, which loses nothing; it blocks, so each command has a thread.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from freehold.model.infra import Machine
from freehold.system.targets import problems
from freehold.system.targets.commands import Answer, Commands
from freehold.system.threads import in_a_thread

_AT_ONCE = 8


class IncusTarget(Commands):
    """A machine behind the Incus socket at `socket`."""

    def __init__(self, machine: Machine, socket: Path) -> None:
        super().__init__(machine.key, self._through)
        self._machine = machine
        self._socket = socket
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def _through(self, command: Sequence[str], given: bytes, seconds: float) -> Answer:
        from freehold.system.warm.failures import OutcomeUnknown, WayFailed
        from freehold.system.warm.machine import Machine as Way
        from freehold.system.warm.recorded import run

        way = Way(str(self._socket.resolve()), self._machine.domain, self._machine.instance)
        try:
            async with self._places, asyncio.timeout(seconds):
                done = await in_a_thread(lambda: run(way, command, given))
        except TimeoutError:
            raise problems.lost(self.name, f"no answer in {seconds:.0f} seconds.") from None
        except OutcomeUnknown as error:
            raise problems.lost(self.name, str(error)) from error
        except WayFailed as error:
            raise problems.machine_failed(self.name, str(error)) from error
        return Answer(done.code, done.output, done.errors)
