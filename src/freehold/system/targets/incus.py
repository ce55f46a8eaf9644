"""Machines of Incus as targets: commands with recorded output, their input by Incus's file API. Made by `estate.py`.

The way is that of `system.warm.recorded`, which loses nothing; it blocks, so each command has a thread.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from freehold.model.infra import Machine
from freehold.system.targets import problems
from freehold.system.targets.commands import Answer, Commands

Value = TypeVar("Value")

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
                done = await _in_a_thread(lambda: run(way, command, given))
        except TimeoutError:
            raise problems.lost(self.name, f"no answer in {seconds:.0f} seconds.") from None
        except OutcomeUnknown as error:
            raise problems.lost(self.name, str(error)) from error
        except WayFailed as error:
            raise problems.machine_failed(self.name, str(error)) from error
        return Answer(done.code, done.output, done.errors)


async def _in_a_thread(work: Callable[[], Value]) -> Value:
    """Like asyncio.to_thread, but a thread that nobody waits for any more does not keep the program from ending."""
    done: Future[Value] = Future()

    def body() -> None:
        done.set_running_or_notify_cancel()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - whatever it is, the waiting side raises it
            done.set_exception(error)

    threading.Thread(target=body, daemon=True).start()
    return await asyncio.wrap_future(done)
