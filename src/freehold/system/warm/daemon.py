"""One request to Incus's REST API, blocking: what its answers and failures mean for Ansible.

Used by `recorded.py` and `files.py`, for what does not go through the keeper.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import IO, Any
from urllib.parse import urlencode

from freehold.system.warm.failures import PASSING, Broken, NothingDone, WayFailed
from freehold.system.warm.machine import Machine

_CONNECT = 5.0  # seconds for the daemon to take the connection


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


def ask(machine: Machine, method: str, target: str, content: object = None) -> Any:
    """The metadata of an answer about a machine.

    Raises NothingDone, WayFailed, and Broken when the request was sent and no answer came.
    """
    body = None if content is None else json.dumps(content).encode()
    with exchange(machine, method, target, body) as answer:
        return _metadata(machine, json.loads(answer.read() or b"{}"))


@contextmanager
def exchange(
    machine: Machine,
    method: str,
    target: str,
    body: bytes | IO[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Iterator[HTTPResponse]:
    """One request, its answer yet to be read. The project is added to the query. Raises NothingDone, WayFailed, Broken."""
    connection = _UnixConnection(machine.socket)
    try:
        _connect(machine, connection)
        words = {"project": machine.project, **(query or {})}
        connection.request(method, f"{target}?{urlencode(words)}", body, dict(headers or {}))
        yield connection.getresponse()
    except (HTTPException, OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise Broken(f"The connection to {machine} broke: {reason}.") from error
    finally:
        connection.close()


def refusal(machine: Machine, message: str) -> WayFailed:
    """What an error of incusd means: one that passes, or a plain no."""
    kind = NothingDone if any(words in message for words in PASSING) else WayFailed
    return kind(f"Incus refused to enter {machine}: {message}.")


def _connect(machine: Machine, connection: HTTPConnection) -> None:
    try:
        connection.connect()
    except PermissionError as error:
        raise WayFailed(
            f"Incus cannot be reached: {machine.socket}: permission denied. Run as root, or join the group "
            "incus-admin and log in again."
        ) from error
    except OSError as error:
        raise NothingDone(
            f"Incus cannot be reached: {machine.socket}: {error.strerror or error}. Start it "
            "(sudo systemctl start incus), or the lab (freehold lab start)."
        ) from error


def _metadata(machine: Machine, answer: Any) -> Any:
    if not isinstance(answer, dict) or "type" not in answer:
        raise WayFailed(f"{machine.socket} is answered by something that is not Incus.")
    if answer["type"] == "error":
        raise refusal(machine, str(answer.get("error", "")))
    return answer.get("metadata")
