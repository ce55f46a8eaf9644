"""One machine's part of Incus's REST API, blocking: what its answers and failures mean for Ansible.

Used by `recorded.py` and `files.py`. A socket that is away for a moment, as when incusd restarts, is waited for.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import IO, Any, TypeVar
from urllib.parse import urlencode

from freehold.system.warm.failures import PASSING, Broken, NothingDone, WayFailed

PATIENCE = 30.0  # seconds for what passes by itself: a machine that starts, a daemon that restarts
PAUSE = 0.25  # seconds between two tries
_CONNECT = 5.0  # seconds for the daemon to take the connection

_T = TypeVar("_T")


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("incus")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT)
        self.sock.connect(self._path)
        self.sock.settimeout(None)  # a command takes as long as it takes


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance behind the Incus socket at `socket`."""

    socket: str
    project: str
    name: str
    patience: float = field(default=PATIENCE, compare=False)

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"

    def ask(self, method: str, target: str, content: object = None) -> Any:
        """The metadata of an answer. `target` is a path below the API's root, or one that Incus named.

        Raises NothingDone, WayFailed, and Broken when the request was sent and no answer came.
        """
        body = None if content is None else json.dumps(content).encode()
        with self.exchange(method, target, body) as answer:
            return _metadata(self, json.loads(answer.read() or b"{}"))

    @contextmanager
    def exchange(
        self,
        method: str,
        target: str,
        body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Iterator[HTTPResponse]:
        """One request, its answer yet to be read. The project is added to the query."""
        connection = _UnixConnection(self.socket)
        try:
            self._connect(connection)
            words = {"project": self.project, **(query or {})}
            connection.request(method, f"{target}?{urlencode(words)}", body, dict(headers or {}))
            yield connection.getresponse()
        except (HTTPException, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise Broken(f"The connection to {self} broke: {reason}.") from error
        finally:
            connection.close()

    def _connect(self, connection: HTTPConnection) -> None:
        try:
            connection.connect()
        except PermissionError as error:
            raise WayFailed(
                f"Incus cannot be reached: {self.socket}: permission denied. Run as root, or join the group "
                "incus-admin and log in again."
            ) from error
        except OSError as error:
            raise NothingDone(
                f"Incus cannot be reached: {self.socket}: {error.strerror or error}. Start it "
                "(sudo systemctl start incus), or the lab (freehold lab start)."
            ) from error


def patiently(machine: Machine, attempt: Callable[[], _T]) -> _T:
    """Repeat what fails before it has begun, until the machine's patience ends. Raises what the last try did."""
    deadline = time.monotonic() + machine.patience
    while True:
        try:
            return attempt()
        except NothingDone:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)


def _metadata(machine: Machine, answer: Any) -> Any:
    if not isinstance(answer, dict) or "type" not in answer:
        raise WayFailed(f"{machine.socket} is answered by something that is not Incus.")
    if answer["type"] == "error":
        raise refusal(machine, str(answer.get("error", "")))
    return answer.get("metadata")


def refusal(machine: Machine, message: str) -> WayFailed:
    """What an error of incusd means: one that passes, or a plain no."""
    kind = NothingDone if any(words in message for words in PASSING) else WayFailed
    return kind(f"Incus refused to enter {machine}: {message}.")
