"""A command in a machine, by Incus's API: Incus's own client now and then loses what the command printed."""

import time
from pathlib import Path

from freehold.system.unix_http import ask, ask_text

COMMAND_SECONDS = 600.0
_PATIENCE = 60.0
_NOT_YET = "Failed to retrieve PID"  # seen in a container's first seconds


def execute(socket: Path, project: str, instance: str, *command: str) -> tuple[int, str, str]:
    """Its exit code, output and errors. Fails if Incus cannot run it."""
    wanted = {"command": command, "record-output": True, "wait-for-websocket": False}
    path = f"/1.0/instances/{instance}/exec?project={project}"
    until = time.monotonic() + _PATIENCE
    while True:
        begun = ask(socket, "POST", path, wanted).body
        assert begun["type"] == "async", begun
        wait = f"{begun['operation']}/wait"
        waited = ask(socket, "GET", wait, timeout=COMMAND_SECONDS).body
        ended = waited["metadata"]  # none where it failed at once, or is gone with its daemon
        failure = ended["err"] if ended else str(waited.get("error"))
        if not failure:
            break
        assert _NOT_YET in failure, waited
        assert time.monotonic() < until, waited
        time.sleep(0.2)
    streams = ended["metadata"]["output"]
    output, errors = (ask_text(socket, f"{streams[n]}?project={project}") for n in ("1", "2"))
    return int(ended["metadata"]["return"]), output, errors
