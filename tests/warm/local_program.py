"""The program that stays in a machine, run by a Python of this computer: spoken to over pipes, without Incus."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freehold.system.warm import shipping
from freehold.system.warm.target import frames

# Another Python that a machine could have, from 3.9 on, to be tried by hand.
PYTHON = os.environ.get("FREEHOLD_TEST_PYTHON", sys.executable)


@dataclass
class Answer:
    """What came back for one request."""

    output: bytes = b""
    errors: bytes = b""
    done: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> int:
        return int(self.done["code"])


class LocalProgram:
    """The program in a process of its own; `python` is the interpreter."""

    def __init__(
        self, python: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [python, "-c", shipping.BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=folder,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin.fileno()
        self._output = self._process.stdout.fileno()
        self._decoder = frames.Decoder()
        self._answers: dict[int, Answer] = {}
        self._last = 0
        self._write(shipping.program())
        self.hello: dict[str, Any] = {}
        while not self.hello:
            self._read()
        self.python = str(self.hello["executable"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def begin(self, kind: int, what: Mapping[str, Any], given: bytes = b"") -> int:
        """Send a request whole; its number."""
        self._last += 1
        self._answers[self._last] = Answer()
        self._write(frames.encode_document(self._last, kind, dict(what)))
        self._write(frames.encode_data(self._last, given))
        return self._last

    def end(self, number: int) -> Answer:
        """Read until the request is done."""
        while not self._answers[number].done:
            self._read()
        return self._answers.pop(number)

    def run(self, *words: str, given: bytes = b"") -> Answer:
        return self.end(self.begin(frames.RUN, _run(words), given))

    def begin_payload(self, source: str | bytes, **environment: str) -> int:
        content = source.encode() if isinstance(source, str) else source
        script = "".join(f"{name}='{value}' " for name, value in environment.items()) + self.python
        what = _run(("/bin/sh", "-c", script)) | {"python": self.python, "environment": environment}
        return self.begin(frames.RUN, what, content)

    def payload(self, source: str | bytes, **environment: str) -> Answer:
        """A Python program as Ansible sends modules."""
        return self.end(self.begin_payload(source, **environment))

    def kill(self, number: int) -> None:
        self._write(frames.encode(number, frames.KILL))

    def hang_up(self) -> int:
        """End the program as the keeper does; its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        code = self._process.wait(10)
        self._process.stdout.close()
        return code

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                stream.close()

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._input, rest) :]

    def _read(self) -> None:
        content = os.read(self._output, 1 << 20)
        if not content:
            raise EOFError("the program has ended")
        for frame in self._decoder.feed(content):
            if frame.kind == frames.HELLO:
                self.hello = frame.document()
            elif frame.kind == frames.OUTPUT:
                self._answers[frame.number].output += frame.content
            elif frame.kind == frames.ERRORS:
                self._answers[frame.number].errors += frame.content
            else:
                self._answers[frame.number].done = frame.document()


def _run(words: tuple[str, ...]) -> dict[str, Any]:
    return {"words": words, "python": None, "environment": {}}
