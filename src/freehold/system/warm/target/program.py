"""The program in the machine: takes requests from the keeper, starts them, says how they ended.

Started by the text of `shipping.py`. It ends when the way to the keeper ends; what runs by then is left to run, for a
package manager broken off does more harm than one that ends unheard.
"""

from __future__ import annotations

import os
from typing import Any, NoReturn

from freehold.system.warm.target import files, frames, interpreter
from freehold.system.warm.target.payload import Known, Task
from freehold.system.warm.target.processes import Processes
from freehold.system.warm.target.running import Running, fork, start

_WAY = 1 << 20  # bytes read from the keeper at once


class _Asked:
    """A request whose data are still coming."""

    def __init__(self, frame: frames.Frame) -> None:
        self.kind = frame.kind
        self.what = frame.document()
        self.given = bytearray()
        self.upload = files.Upload(self.what["path"]) if frame.kind == frames.PUT else None

    def take(self, content: bytes) -> None:
        if self.upload is not None:
            self.upload.write(content)
        else:
            self.given += content


class Program:
    """All requests under way. `incoming`, `outgoing`: descriptors of the way to the keeper."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._decoder = frames.Decoder()
        self._asked: dict[int, _Asked] = {}
        self._processes = Processes(incoming, self._say, self._finished)
        self._fingerprint = interpreter.fingerprint()
        self._home = os.getcwd()
        self.known = Known()

    def serve(self) -> Task | None:
        """Until the keeper goes: None. In a copy that was forked for a payload: what it is to do, at once."""
        self._say(frames.encode_document(0, frames.HELLO, interpreter.description()))
        while True:
            if not self._processes.wait():
                continue
            content = os.read(self._incoming, _WAY)
            if not content:
                return None
            for frame in self._decoder.feed(content):
                task = self._take(frame)
                if task is not None:
                    return task

    def _take(self, frame: frames.Frame) -> Task | None:
        if frame.kind == frames.KILL:
            self._asked.pop(frame.number, None)
            self._processes.stop(frame.number)
        elif frame.kind == frames.DATA:
            self._asked[frame.number].take(frame.content)
        elif frame.kind == frames.END:
            return self._begin(frame.number, self._asked.pop(frame.number))
        else:
            self._asked[frame.number] = _Asked(frame)
        return None

    def _begin(self, number: int, asked: _Asked) -> Task | None:
        self._go_home()
        if asked.upload is not None:
            asked.upload.close()
            self._done(number, _failure(asked.upload.failure))
        elif asked.kind == frames.GET:
            self._watch(fork(number), asked)
        elif self._is_served_here(asked.what):
            return self._fork_payload(number, asked)
        else:
            self._start(number, asked)
        return None

    def _go_home(self) -> None:
        """Into the folder that has this name now: the one of before may have been replaced. Else where Incus would go."""
        try:
            os.chdir(self._home)
        except OSError:
            os.chdir("/")

    def _is_served_here(self, what: dict[str, Any]) -> bool:
        python = what["python"]
        return (
            python is not None
            and interpreter.would_serve(python, what["environment"])
            and self._fingerprint == interpreter.fingerprint()
        )

    def _fork_payload(self, number: int, asked: _Asked) -> Task | None:
        notes = os.memfd_create("freehold")
        child = fork(number, notes)
        if child is None:
            return Task(bytes(asked.given), asked.what["environment"], notes)
        self._processes.add(child)
        return None

    def _watch(self, child: Running | None, asked: _Asked) -> None:
        if child is None:
            files.send(asked.what["path"])
        self._processes.add(child)

    def _start(self, number: int, asked: _Asked) -> None:
        try:
            process = start(number, asked.what["words"], bytes(asked.given))
        except OSError as error:
            self._done(number, _failure(error))
        else:
            self._processes.add(process)

    def _finished(self, process: Running) -> None:
        self._done(process.number, {"code": process.code})
        if process.notes is not None:
            self.known.learn(process.notes)

    def _done(self, number: int, how: dict[str, Any]) -> None:
        stale = self._fingerprint != interpreter.fingerprint()
        self._say(frames.encode_document(number, frames.DONE, {**how, "stale": stale}))

    def _say(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._outgoing, rest) :]


def _failure(error: OSError | None) -> dict[str, Any]:
    if error is None:
        return {"code": 0}
    return {"code": 1, "failure": error.strerror or str(error)}


def begin(main: dict[str, Any]) -> NoReturn:
    """Serve the keeper at standard input and output. `main`: the names in `__main__` before anything was done."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    program = Program(incoming, outgoing)
    task = program.serve()
    if task is not None:
        program.known.run(task, main)
    os._exit(0)
