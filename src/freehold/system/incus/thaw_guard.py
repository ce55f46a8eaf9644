"""A program of its own: lets machines go on when whoever held them still is gone.

Started by `thaw.py`, detached, so that it outlives a killed Freehold and a lost connection. It needs nothing but Python. It is told
on standard input, one JSON object a line: `hold` (a key, with `project`, `instance`, whether it is frozen, the command to run
afterwards), `free` (that key). When its input ends, it thaws what is still held, waits for the command that ran before, and
runs what was to be run.
"""

import contextlib
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from freehold.system.unix_http import ask

_PATIENCE = 60.0  # seconds for one request
_COMMAND_SECONDS = 300.0  # for the command before, which may still run
_PAUSE = 0.2
_ATTEMPTS = 3
_COMMAND = "Executing command"  # as Incus describes such an operation


def main(socket: Path) -> None:
    """Listen until nobody speaks any more, then let go of what is held."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.write(1, b"ready")
    held: dict[str, dict[str, Any]] = {}
    for line in sys.stdin:
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if "hold" in told:
                held[told["hold"]] = told | {"since": datetime.now(UTC)}
            else:
                held.pop(told["free"], None)
    for each in held.values():
        let_go(socket, each)


def let_go(socket: Path, held: dict[str, Any]) -> None:
    """Thaw one machine, and run its command. One that is not frozen says so, which is well."""
    path = f"/1.0/instances/{quote(held['instance'])}"
    query = urlencode({"project": held["project"]})
    if held["frozen"]:
        request(socket, "PUT", f"{path}/state?{query}", {"action": "unfreeze", "timeout": -1})
    if held["after"]:
        wait_for_commands(socket, held)
        command = {"command": ["sh", "-c", held["after"]], "wait-for-websocket": False}
        request(socket, "POST", f"{path}/exec?{query}", command)


def wait_for_commands(socket: Path, held: dict[str, Any]) -> None:
    """Return when none runs that was begun since the machine is held: the one after must not overtake the one before."""
    until = time.monotonic() + _COMMAND_SECONDS
    query = urlencode({"project": held["project"], "recursion": "1"})
    while time.monotonic() < until:
        try:
            listed = ask(socket, "GET", f"/1.0/operations?{query}", timeout=_PATIENCE).body
            if not any(
                is_since(each, held) for each in (listed["metadata"] or {}).get("running", ())
            ):
                return
        except (OSError, ValueError, KeyError):  # an Incus that restarts has forgotten them
            return
        time.sleep(_PAUSE)


def is_since(operation: dict[str, Any], held: dict[str, Any]) -> bool:
    """Whether it is a command in that machine, begun since that is held."""
    instances = (operation.get("resources") or {}).get("instances") or ()
    meant = any(path.split("?")[0].endswith(f"/{held['instance']}") for path in instances)
    begun = datetime.fromisoformat(operation["created_at"])
    return meant and operation["description"] == _COMMAND and begun >= held["since"]


def request(socket: Path, method: str, target: str, content: object) -> None:
    """Send it, and wait until the operation that it started is over. An Incus that restarts is asked again."""
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(OSError, ValueError):
            body = ask(socket, method, target, content, timeout=_PATIENCE).body
            if body.get("type") == "async":
                wait = f"{body['operation']}/wait?timeout={_PATIENCE:.0f}"
                ask(socket, "GET", wait, timeout=_PATIENCE + 5)
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
