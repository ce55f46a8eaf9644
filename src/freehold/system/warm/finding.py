"""Finds the keeper of an Incus, or starts it. Called by `way.py`; several workers may look at once.

Whoever may connect to a keeper may do everything in the machines: its socket lies in a folder that only its user enters.
"""

import hashlib
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import freehold
from freehold.system.files import locked
from freehold.system.warm.failures import NothingDone, WayFailed
from freehold.system.warm.target import frames

GREETING = len(frames.encode(0, frames.HELLO))
_PATIENCE = 15.0  # seconds for a keeper to greet
_LOG = "FREEHOLD_KEEPER_LOG"  # a file for the keeper's errors; without it they go nowhere
_LONGEST_FOLDER = 107 - len("/0123456789abcdef.socket")  # bytes of a path in sockaddr_un, unix(7)
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL")  # a keeper outlives the run: it gets nobody's secrets


def connect(incus: str) -> socket.socket:
    """A connection to the keeper of the daemon at `incus`, which has greeted. Raises WayFailed."""
    path = own_folder() / f"{_name(incus)}.socket"
    if (found := _try(path)) is not None:
        return found
    lock = path.with_suffix(".lock")
    with locked(lock):
        found = _try(path)
        if found is None:
            _start(incus, path)
            found = _try(path)
        lock.unlink()
    if found is None:
        raise NothingDone("The process that holds the connections has ended at once.")
    return found


def own_folder() -> Path:
    """The folder of this user's keepers, made if need be. Raises WayFailed when it could be somebody else's."""
    user = os.geteuid()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    folder = Path(runtime, "freehold")
    if not os.path.isdir(runtime) or len(os.fsencode(folder)) > _LONGEST_FOLDER:
        folder = Path(f"/tmp/freehold-{user}")  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise WayFailed(
            f"{folder} must be a folder of user {user} that nobody else may enter. Look who has made it, delete it, "
            "and try again."
        )
    return folder


def _name(incus: str) -> str:
    """One for each daemon, and for each installation of Freehold: keepers of two versions do not understand each other."""
    words = "\0".join([os.path.realpath(incus), freehold.__version__, freehold.__file__ or ""])
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _try(path: Path) -> socket.socket | None:
    """None when nobody listens, or a keeper that is about to end."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_PATIENCE)
        connection.connect(str(path))
        greeting = connection.recv(GREETING, socket.MSG_WAITALL)
        connection.settimeout(None)
    except OSError:
        greeting = b""
    if len(greeting) == GREETING:
        return connection
    connection.close()
    return None


def _start(incus: str, path: Path) -> None:
    """Start a keeper and wait until it listens. Raises WayFailed."""
    program = [sys.executable, "-P", "-m", "freehold.system.warm.keeper", incus, str(path)]
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ}
    variables["PYTHONPATH"] = str(Path(freehold.__file__ or "").parents[1])
    with open(os.environ.get(_LOG) or os.devnull, "ab") as log:
        keeper = subprocess.Popen(
            program, env=variables, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    assert keeper.stdout is not None
    with keeper.stdout as words:
        ready = words.read()
    keeper.wait()
    if not ready:
        raise WayFailed(
            f"The process that holds the connections does not start. {_LOG}=FILE in the environment shows why."
        )
