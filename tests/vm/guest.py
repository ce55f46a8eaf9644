"""Commands and files in the emulated computer, by QEMU's guest agent over a virtio port: it needs no network.

The protocol is JSON lines (QEMU documentation: QEMU Guest Agent Protocol Reference).
"""

import base64
import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ANSWER = 120.0  # seconds for one word of the agent; it is emulated
_PIECE = 1 << 20  # bytes of a file in one message
_LONGEST_PAUSE = 2.0  # seconds between two looks whether a command has ended


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command answered."""

    code: int
    output: str
    errors: str

    @property
    def words(self) -> str:
        return f"exit code {self.code}\n{self.output}\n{self.errors}".strip()


class Silent(Exception):
    """Nobody answers at the port."""


@dataclass(slots=True)
class Guest:
    """The guest agent behind the socket at `path`. One connection at a time."""

    path: Path
    _socket: socket.socket | None = field(default=None, init=False)
    _rest: bytes = field(default=b"", init=False)

    def run(
        self, argv: Sequence[str], *, seconds: float = 600.0, variables: Mapping[str, str] | None = None
    ) -> Ended:  # fmt: skip
        """Run a program as root and wait for its end. Raises Silent, and TimeoutError when it does not end."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **(variables or {})}  # fmt: skip
        what = {
            "path": argv[0],
            "arg": list(argv[1:]),
            "env": [f"{name}={value}" for name, value in environment.items()],
            "capture-output": True,
        }
        pid = self._ask("guest-exec", what)["pid"]
        until, pause = time.monotonic() + seconds, 0.1
        while not (status := self._ask("guest-exec-status", {"pid": pid}))["exited"]:
            if time.monotonic() > until:
                raise TimeoutError(f"{argv} has not ended in {seconds:.0f} seconds")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return Ended(
            int(status.get("exitcode", 128 + int(status.get("signal", 0)))),
            _text(status.get("out-data", "")),
            _text(status.get("err-data", "")),
        )

    def write(self, path: str, content: bytes) -> None:
        """A file in the computer."""
        handle = self._ask("guest-file-open", {"path": path, "mode": "w"})
        for start in range(0, len(content), _PIECE):
            piece = base64.b64encode(content[start : start + _PIECE]).decode()
            self._ask("guest-file-write", {"handle": handle, "buf-b64": piece})
        self._ask("guest-file-close", {"handle": handle})

    def answers(self) -> bool:
        """Whether the agent is there: the computer has booted."""
        try:
            self._ask("guest-ping", {}, patience=20.0)
        except Silent:
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, verb: str, what: Mapping[str, Any], *, patience: float = _ANSWER) -> Any:
        try:
            answer = self._exchange({"execute": verb, "arguments": what}, patience)
        except OSError as error:
            self.close()
            raise Silent(f"{verb}: {error}") from error
        if "error" in answer:
            raise RuntimeError(f"{verb}: {answer['error']['desc']}")
        return answer["return"]

    def _exchange(self, request: Mapping[str, Any], patience: float) -> Any:
        connection = self._open(patience)
        connection.sendall(json.dumps(request).encode() + b"\n")
        return self._read(connection)

    def _open(self, patience: float) -> socket.socket:
        """A new connection begins with a number that must come back: what was left from an earlier one is skipped."""
        if self._socket is not None:
            self._socket.settimeout(patience)
            return self._socket
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        found.settimeout(patience)
        self._rest = b""
        try:
            found.connect(str(self.path))
            number = int.from_bytes(os.urandom(4), "big")
            ask = {"execute": "guest-sync-delimited", "arguments": {"id": number}}
            found.sendall(b"\xff" + json.dumps(ask).encode() + b"\n")
            while self._read(found).get("return") != number:
                pass
        except OSError:
            found.close()
            raise
        self._socket = found
        return found

    def _read(self, connection: socket.socket) -> Any:
        while b"\n" not in self._rest:
            if not (piece := connection.recv(1 << 16)):
                raise ConnectionResetError("the computer has gone")
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line.rpartition(b"\xff")[2])


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")
