"""One HTTP request over a unix socket, synchronous, with nothing heavy imported.

Called by `operations.lab`, which asks its Incus a handful of questions; everything that manages an estate uses the
asynchronous client in `system.incus`.
"""

import http.client
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OK = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """Status code and decoded JSON object of an answer."""

    code: int
    body: dict[str, Any]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("unix.socket", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(
    path: Path,
    method: str,
    target: str,
    content: object = None,
    *,
    timeout: float = 10.0,
) -> Reply:
    """Send `content` as JSON (None: nothing) and return the JSON answer.

    Raises OSError when nobody listens, the answer takes longer than `timeout` seconds (TimeoutError) or breaks off,
    and ValueError when it is not a JSON object.
    """
    body = b"" if content is None else json.dumps(content).encode()
    headers = {} if content is None else {"Content-Type": "application/json"}
    code, answer = _exchange(path, method, target, body, headers, timeout)
    decoded = json.loads(answer)
    if not isinstance(decoded, dict):
        raise ValueError(f"{method} {target} was not answered by a JSON object")
    return Reply(code, decoded)


def ask_text(path: Path, target: str, *, timeout: float = 10.0) -> str:
    """The answer to a GET, as text; empty unless it is a success. Raises OSError as `ask` does."""
    code, content = _exchange(path, "GET", target, b"", {}, timeout)
    return content.decode("utf-8", "replace") if code == _OK else ""


def _exchange(
    path: Path,
    method: str,
    target: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
) -> tuple[int, bytes]:
    connection = _UnixConnection(path, timeout)
    try:
        connection.request(method, target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def listener_pid(path: Path) -> int | None:
    """The process that listens on the socket (SO_PEERCRED, unix(7)); None when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as handle:
        try:
            handle.connect(str(path))
        except OSError:
            return None
        size = struct.calcsize("3i")
        peer = handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid: int = struct.unpack("3i", peer)[0]
    return pid or None
