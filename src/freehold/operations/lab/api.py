"""The few questions the lab puts to its own Incus. Called by `lab.py` and `images.py`.

Paths and fields are those of the Incus REST API, https://linuxcontainers.org/incus/docs/main/rest-api/.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.diagnostics import BackendError, BackendInterrupted, Diagnostic
from freehold.operations.lab.options import Options
from freehold.system.incus.api import goes_away

if TYPE_CHECKING:
    from freehold.system.unix_http import Reply

POOL = "default"


def request(
    socket: Path, method: str, target: str, content: object = None, timeout: float = 30.0
) -> Any:
    """The answer's `metadata`, once a background operation has ended well.

    Raises BackendError when Incus refuses or fails, BackendInterrupted when it cannot be reached or goes down.
    """
    try:
        reply = _ask(socket, method, target, content, timeout=timeout)
        return _result(socket, f"{method} {target}", reply, timeout)
    except (OSError, ValueError) as error:
        raise BackendInterrupted(_unreachable(socket, error)) from error


def find(socket: Path, target: str) -> Any:
    """The object at `target`, or None when there is none; raises as `request` does."""
    try:
        reply = _ask(socket, "GET", target)
    except (OSError, ValueError) as error:
        raise BackendInterrupted(_unreachable(socket, error)) from error
    return None if reply.code == 404 else _result(socket, f"GET {target}", reply, 30.0)


def _result(socket: Path, what: str, reply: "Reply", timeout: float) -> Any:
    if reply.body.get("type") == "async":
        # Incus ends the wait by itself a little before we would.
        wait = f"{reply.body['operation']}/wait?timeout={max(1, int(timeout) - 1)}"
        reply = _ask(socket, "GET", wait, timeout=timeout)
        operation = reply.body.get("metadata")
        if operation and operation["status_code"] != 200:
            raise _refusal(socket, what, operation["status_code"], operation["err"])
    # A wait that fails is answered with an error in a reply whose HTTP code is 200.
    if reply.code >= 400 or reply.body.get("type") == "error":
        code = int(reply.body.get("error_code") or reply.code)
        raise _refusal(socket, what, code, str(reply.body.get("error")))
    return reply.body.get("metadata")


def answers(socket: Path) -> bool:
    """Whether Incus is up with its storage and networks (its own `incusd waitready` asks the same)."""
    try:
        return _ask(socket, "GET", "/internal/ready", timeout=5.0).code == 200
    except (OSError, ValueError):
        return False


def version(socket: Path) -> str:
    """The server's version, such as `6.0.4`."""
    return str(request(socket, "GET", "/1.0")["environment"]["server_version"])


def machine_count(socket: Path) -> int:
    """How many instances there are in all projects."""
    return len(request(socket, "GET", "/1.0/instances?all-projects=true") or [])


def ensure_storage(socket: Path, options: Options) -> None:
    """Make the pool and what hangs on it, where not yet there. A lab without a network has no images to refresh."""
    if f"/1.0/storage-pools/{POOL}" in (request(socket, "GET", "/1.0/storage-pools") or []):
        return
    config = {"size": str(options.size)} if options.storage == "btrfs" else {}
    request(socket, "PATCH", "/1.0", {"config": {"images.auto_update_interval": "0"}})
    pool = {"name": POOL, "driver": options.storage, "config": config}
    request(socket, "POST", "/1.0/storage-pools", pool, timeout=120.0)
    root = {"type": "disk", "pool": POOL, "path": "/"}
    request(socket, "PATCH", "/1.0/profiles/default", {"devices": {"root": root}})


def _ask(
    socket: Path, method: str, target: str, content: object = None, *, timeout: float = 10.0
) -> "Reply":
    # Imported late: HTTP takes 15 ms to load, and who only wants to know where the socket is never asks.
    from freehold.system.unix_http import ask

    return ask(socket, method, target, content, timeout=timeout)


def _refusal(socket: Path, what: str, code: int, error: str) -> BackendError:
    if goes_away(code, error):
        return BackendInterrupted(_unreachable(socket, f"{what}: {error}"))
    return BackendError(
        Diagnostic(
            code="lab-incus-refused",
            summary="The lab's Incus refused",
            detail=f"{what}: {error or 'it did not end in time'}",
        )
    )


def _unreachable(socket: Path, error: Exception | str) -> Diagnostic:
    return Diagnostic(
        code="lab-incus-unreachable",
        summary="The lab's Incus does not answer",
        detail=f"{socket}: {error}",
        hint="`freehold lab status` says whether the lab runs; `freehold lab start` starts it.",
    )
