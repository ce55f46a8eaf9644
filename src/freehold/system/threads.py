"""Work that blocks, in a thread beside the event loop. Used by `targets.incus` and `incus.client` for commands in machines."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Value = TypeVar("Value")


async def in_a_thread(work: Callable[[], Value]) -> Value:
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
