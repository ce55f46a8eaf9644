"""All processes under way: waits for whatever they or the keeper have to say, and passes it on. Used by `program.py`."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable

from freehold.system.warm.target import frames
from freehold.system.warm.target.running import Running

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_PIECE = 1 << 16  # bytes, what a pipe holds


class Processes:
    """`say` passes bytes to the keeper, `finished` takes what is over."""

    def __init__(
        self, incoming: int, say: Callable[[bytes], None], finished: Callable[[Running], None]
    ) -> None:
        self._say = say
        self._finished = finished
        self._running: dict[int, Running] = {}
        # poll keeps no descriptor of its own, which a forked payload would have to be rid of
        self._selector = selectors.PollSelector()
        self._selector.register(incoming, _READ, None)

    def add(self, process: Running) -> None:
        """Look after this one from now on."""
        self._running[process.number] = process
        for descriptor in (process.ending, *process.streams):
            self._selector.register(descriptor, _READ, process)
        if process.write():
            self._close_input(process)
        else:
            assert process.input is not None
            self._selector.register(process.input, _WRITE, process)

    def stop(self, number: int) -> None:
        """Make the process of this request end, if it is still there."""
        process = self._running.get(number)
        if process is not None and process.code is None:
            process.stop()

    def wait(self) -> bool:
        """Pass on what there is, or sleep until there is something; whether the keeper has sent something."""
        keeper = False
        for key, _ in self._selector.select(self._patience()):
            if key.data is None:
                keeper = True
            elif key.fd in self._selector.get_map():  # not closed by what came before it
                self._advance(key.data, key.fd)
        self._watch_deadlines()
        return keeper

    def _advance(self, process: Running, descriptor: int) -> None:
        if descriptor == process.ending:
            process.collect()
            self._forget(descriptor)
            self._close_input(process)
        elif descriptor == process.input:
            if process.write():
                self._close_input(process)
        elif content := os.read(descriptor, _PIECE):
            self._say(frames.encode(process.number, process.streams[descriptor], content))
        else:
            del process.streams[descriptor]
            self._forget(descriptor)
        if process.over:
            self._let_go(process)

    def _let_go(self, process: Running) -> None:
        del self._running[process.number]
        self._finished(process)

    def _patience(self) -> float | None:
        deadlines = [p.deadline for p in self._running.values() if p.deadline is not None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _watch_deadlines(self) -> None:
        now = time.monotonic()
        for process in list(self._running.values()):
            if process.deadline is None or now < process.deadline:
                continue
            if process.code is None:
                process.stop()
                continue
            for descriptor in process.streams:  # held open by what the command left running
                self._forget(descriptor)
            self._let_go(process)

    def _close_input(self, process: Running) -> None:
        if process.input is not None:
            self._forget(process.input)
            process.input = None

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)
        os.close(descriptor)
