"""Carries out a plan in a process of Ansible: under the estate's lock, with the run's journal. Used by `ansible_work`."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from freehold.cli import estate
from freehold.diagnostics import Diagnostic, ExitCode, LockHeld
from freehold.engine.events import Event
from freehold.engine.journal import Journal
from freehold.engine.lock import STATE_FOLDER, lock
from freehold.engine.planner import Planning
from freehold.engine.run import RunResult, run
from freehold.planning.plan import Plan
from freehold.views.ansible_task import told

VERB = "ansible"  # in the lock and in the journal
_PAUSE = 0.2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def locked(folder: Path, seconds: float, verb: str = VERB) -> Iterator[Diagnostic | None]:
    """The estate's lock, which tasks on other hosts, and other runs, may hold for a while; as `engine.lock.lock`.

    Raises LockHeld when it was not given up within `seconds`.
    """
    with contextlib.ExitStack() as held:
        try:
            notice = _when_free(held, folder, verb, time.monotonic() + seconds)
        except OSError as error:
            raise estate.unwritable(folder / STATE_FOLDER, error) from error
        yield notice


def _when_free(
    held: contextlib.ExitStack, folder: Path, verb: str, until: float
) -> Diagnostic | None:
    while True:
        try:
            return held.enter_context(lock(folder, verb))
        except LockHeld:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)


async def watched_run(
    planner: Planning, plan: Plan, folder: Path, tell: Callable[[str], None], verb: str = VERB
) -> RunResult:
    """Carry the plan out, every event told and written down.

    Ctrl-C asks for a stop; one more, which ends Ansible itself, cancels this at once.
    """
    journal = _journal(folder, verb, plan)
    code, stopped = ExitCode.FAILED, True
    try:
        async with _interrupts_heeded() as stop:

            def listener(event: Event) -> None:
                journal(event)
                if (text := told(event)) and not stop.is_set():  # then nobody listens any more
                    tell(text)

            result = await run(planner, plan, listener, stop)
        code, stopped = result.exit_code, result.stopped
        return result
    finally:
        journal.finished(code, stopped)


@contextlib.asynccontextmanager
async def _interrupts_heeded() -> AsyncIterator[asyncio.Event]:
    """An interrupt sets the event; the task is cancelled when Ansible is gone too.

    For one Ctrl-C Ansible sends its tasks SIGINT and, a moment later, SIGTERM; then it waits for them. One more ends
    Ansible, which tells nobody.
    """
    loop, task, stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
    assert task is not None
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    watch = loop.create_task(_cancelled_without_parent(task, stop))
    try:
        yield stop
    finally:
        watch.cancel()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            if stop.is_set():  # the second signal may still be on its way
                signal.signal(number, signal.SIG_IGN)


async def _cancelled_without_parent(task: asyncio.Task[Any], stop: asyncio.Event) -> None:
    parent = os.getppid()
    await stop.wait()
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel tells nobody
        await asyncio.sleep(_PAUSE)
    task.cancel()


def _journal(folder: Path, verb: str, plan: Plan) -> Journal:
    try:
        journal = Journal(folder, verb)
        journal.planned(plan)
    except OSError as error:
        raise estate.unwritable(folder / STATE_FOLDER, error) from error
    return journal
