"""One request to Incus over its unix socket, and what its failure means. Used by `client.py`.

An answer is the envelope of the REST API: `type` sync, async or error, and `metadata`
(https://linuxcontainers.org/incus/docs/main/rest-api/#return-values).
"""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from freehold.diagnostics import BackendError
from freehold.system.incus.api import (
    STARTING_OR_STOPPING,
    IncusError,
    IncusInterrupted,
    IncusNotUnderstood,
    IncusUnavailable,
    goes_away,
)
from freehold.system.incus.http import aiohttp

BASE = "http://incus"
TRANSPORT_ERRORS = (aiohttp.ClientError, OSError, ValueError)
SILENCE = 60.0  # seconds; a large server takes a few for its longest answer
_WAITS = "/wait"  # how the paths end that answer once something has happened

_INSTALL = (
    "Install and start Incus (`sudo incus admin init --minimal`), or use the lab: "
    "`freehold lab start`, then `freehold --lab …`."
)
_JOIN = "Run as root, or join the group `incus-admin` and log in again."
_DEAF = (
    "Look at its log: `journalctl -u incus`. Machines go on running while it is started anew: "
    "`sudo systemctl restart incus`."
)
_START = "Start Incus (`sudo systemctl start incus`), and look at its log: `journalctl -u incus`."


class Connection:
    """A pool of connections to the socket. `answered` tells whether Incus has ever answered on it.

    `silence`: seconds after which one that does not answer a read is given up. A write may take as long as it takes.
    """

    def __init__(self, socket: Path, silence: float = SILENCE) -> None:
        self.socket = socket
        self._silence = silence
        self.answered = False
        self.session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(socket), limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        )

    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The envelope. Raises IncusError, or one of the errors of `failure`."""
        request = f"{method} {path or '/'}"
        root = BASE if path.startswith("/internal/") else f"{BASE}/1.0"
        url = root + path + (f"?{urlencode(query)}" if query else "")
        reads = method == "GET" and not path.endswith(_WAITS)
        limit = aiohttp.ClientTimeout(sock_connect=5, sock_read=self._silence if reads else None)
        try:
            async with self.session.request(method, url, json=body, timeout=limit) as response:
                answer = await response.json(content_type=None)
        except TRANSPORT_ERRORS as error:
            raise self.failure(request, error) from error
        return self._checked(request, answer)

    def _checked(self, request: str, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict) or not {"type", "metadata"} <= set(answer):
            raise IncusNotUnderstood(request, "the answer has no `type` and `metadata`")
        if answer["type"] == "error":
            code, message = answer.get("error_code", 0), str(answer.get("error", ""))
            self.answered = True
            raise refusal(request, code, message)
        self.answered = True
        return answer

    def failure(self, request: str, error: Exception) -> BackendError:
        """What a failed exchange means for the user: not there, no permission, gone in the middle, or not Incus.

        Before the first answer a missing or deaf socket means that no Incus runs; later, that it restarts.
        """
        where = str(self.socket)
        if isinstance(error, TimeoutError):
            if not self.answered:
                return IncusUnavailable(where, "it takes connections and does not answer", _DEAF)
            return IncusInterrupted(request, f"no answer within {self._silence:g} seconds")
        if isinstance(error, aiohttp.ClientConnectorError | OSError):
            reason = getattr(error, "os_error", error).errno
            if reason == errno.EACCES:
                return IncusUnavailable(where, "permission denied", _JOIN)
            if not self.answered and not os.path.exists(self.socket):
                return IncusUnavailable(where, "there is no such socket", _INSTALL)
            if not self.answered:
                return IncusUnavailable(where, f"nobody listens ({error})", _START)
        if getattr(error, "status", None) == STARTING_OR_STOPPING:
            return IncusInterrupted(request, "it starts or stops")
        if isinstance(error, aiohttp.ClientResponseError | ValueError):
            return IncusNotUnderstood(request, str(error) or type(error).__name__)
        return IncusInterrupted(request, str(error) or type(error).__name__)

    async def close(self) -> None:
        await self.session.close()


def refusal(request: str, code: int, message: str) -> IncusError | IncusInterrupted:
    """What an error of the server means: no, or that it is going down and breaks off what it is at."""
    if goes_away(code, message):
        return IncusInterrupted(request, message)
    return IncusError(request, code, message)
