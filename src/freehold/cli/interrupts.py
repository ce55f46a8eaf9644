"""Ctrl-C and SIGTERM. While a plan is carried out, the first asks for a stop and the second ends the run at once.

Used by `carry_out`, and by `agreement`, where a question is left at once.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from freehold.diagnostics import Diagnostic, FreeholdError

Value = TypeVar("Value")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[Any, Any, Value]) -> Value:
    """`asyncio.run`; a Ctrl-C that nobody heeds inside ends it with a FreeholdError."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt as error:
        raise FreeholdError(
            Diagnostic(code="stopped", summary="Stopped", detail="It was interrupted (Ctrl-C).")
        ) from error


@contextlib.contextmanager
def heeded(announce: Callable[[], None]) -> Iterator[asyncio.Event]:
    """In the running task: an interrupt sets the event and calls `announce`; one more cancels the task."""
    loop, task, stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def hear() -> None:
        if not stop.is_set():
            stop.set()
            announce()
        elif task is not None:
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, hear)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt right where the code is: asyncio's own handler waits for the loop to turn.

    So does one that asyncio has heard just before: nobody would hear of it while something is waited for here.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    task = asyncio.current_task()
    try:
        if task is not None and task.cancelling():
            raise KeyboardInterrupt
        yield
    finally:
        signal.signal(signal.SIGINT, before)
