"""Files in and out of a machine by Incus's file API, in pieces, however large they are.

Called by the connection plugin, and by `recorded.py` for a command's input, and by `marked.py`. Writing and reading a file can be repeated,
so whatever breaks is tried again while the machine's patience lasts.
"""

import io
import json
import posixpath
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import HTTPResponse
from typing import IO, TypeVar

from freehold.system.warm.daemon import exchange, refusal
from freehold.system.warm.failures import Broken, NoSuchFile, NothingDone, WayFailed
from freehold.system.warm.machine import Machine, patiently

_OK, _NOT_FOUND = 200, 404
_EXISTS = "file exists"  # the kernel's EEXIST, in the words of Incus's SFTP server
_LINKS = 40  # as many as the kernel follows, path_resolution(7)
_PIECE = 1 << 18  # bytes
_T = TypeVar("_T")
# Only root may read what arrives; Ansible sets the mode that was asked for where it puts it.
_OURS = {"X-Incus-type": "file", "X-Incus-uid": "0", "X-Incus-gid": "0", "X-Incus-mode": "0600"}


def push(machine: Machine, source: IO[bytes], path: str) -> None:
    """Write an open file into the machine; one that is new there belongs to root alone. Raises WayFailed."""

    def attempt() -> None:
        source.seek(0)
        length = source.seek(0, io.SEEK_END)
        source.seek(0)
        headers = _OURS | {"Content-Length": str(length)}
        with exchange(machine, "POST", _files(machine), source, headers, {"path": path}) as answer:
            _check(machine, answer)

    _repeatedly(machine, attempt)


def push_bytes(machine: Machine, content: bytes, path: str) -> None:
    """The same for what is in memory. Raises WayFailed."""
    push(machine, io.BytesIO(content), path)


def fetch(machine: Machine, path: str, into: IO[bytes]) -> None:
    """Read a file of the machine; symbolic links are followed. Raises NoSuchFile, WayFailed."""
    for _ in range(_LINKS):
        link = _repeatedly(machine, partial(_fetch, machine, path, into))
        if link is None:
            return
        path = posixpath.join(posixpath.dirname(path), link)
    raise NoSuchFile(f"{path} in {machine}: too many symbolic links.")


def delete(machine: Machine, path: str) -> None:
    """Delete a file of the machine if it is there and can be."""
    with (
        suppress(WayFailed),
        exchange(machine, "DELETE", _files(machine), query={"path": path}) as answer,
    ):
        answer.read()


def is_there(machine: Machine, path: str) -> bool:
    """Whether the machine has something of that name. Raises WayFailed."""
    with exchange(machine, "GET", _files(machine), query={"path": path}) as answer:
        answer.read()
        if answer.status not in {_OK, _NOT_FOUND}:
            raise refusal(machine, answer.reason)
        return answer.status == _OK


def make_link(machine: Machine, path: str, target: str) -> bool:
    """Make a symbolic link, in one step; False when another thing has that name already. Raises WayFailed."""
    headers = _OURS | {"X-Incus-type": "symlink"}
    content = target.encode()
    with exchange(machine, "POST", _files(machine), content, headers, {"path": path}) as answer:
        if answer.status == _OK:
            return True
        reason = str(json.loads(answer.read() or b"{}").get("error", answer.reason))
    if _EXISTS in reason:
        return False
    raise refusal(machine, reason)


def _fetch(machine: Machine, path: str, into: IO[bytes]) -> str | None:
    """The link's target when it is one."""
    into.seek(0)
    into.truncate()
    with exchange(machine, "GET", _files(machine), query={"path": path}) as answer:
        _check(machine, answer, path)
        kind = answer.getheader("X-Incus-type")
        if kind == "symlink":
            return answer.read().decode("utf-8", "surrogateescape").rstrip("\n")
        if kind != "file":
            raise NoSuchFile(f"{path} in {machine} is a {kind}, not a file.")
        shutil.copyfileobj(answer, into, _PIECE)
    return None


def _check(machine: Machine, answer: HTTPResponse, path: str = "") -> None:
    if answer.status == _OK:
        return
    reason = str(json.loads(answer.read() or b"{}").get("error", answer.reason))
    if answer.status == _NOT_FOUND and path:
        raise NoSuchFile(f"{path} in {machine}: {reason}.")
    raise refusal(machine, reason)


def _files(machine: Machine) -> str:
    return f"/1.0/instances/{machine.name}/files"


def _repeatedly(machine: Machine, attempt: Callable[[], _T]) -> _T:
    def again() -> _T:
        try:
            return attempt()
        except Broken as error:
            raise NothingDone(str(error)) from error

    return patiently(machine, again)
