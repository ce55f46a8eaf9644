"""The containers of a VPN and of those that share its network, by Docker's API. Part of what `leaks.text` brings to a target.

Docker Engine API, /containers/json and /containers/{id}/json: a question takes 2 ms there, and 40 by the command.
"""

from __future__ import annotations

import http
import http.client
import json
import os
import socket
import subprocess
import time
import urllib.parse
from datetime import datetime
from typing import Any

_SOCKET = "/var/run/docker.sock"
_ANSWER = 30.0
_STAYS = 3.0  # seconds after which nothing that was still under way can stop it any more
_AGAIN = 0.5  # seconds until one is asked again who did not answer

TROUBLE = (
    OSError,
    LookupError,
    ValueError,
    http.client.HTTPException,
    subprocess.SubprocessError,
)
"""What goes wrong with a Docker that is restarted meanwhile, containers that are deleted, devices that are gone."""


class Containers:
    """`vpn` and `guests` are their ids. Raises LookupError when a service has none."""

    def __init__(self, labels: dict[str, str], vpn: str, guests: list[str]) -> None:
        self._labels = labels
        self.vpn = self._named(vpn)
        self.guests = [self._named(each) for each in guests]

    def pid(self, container: str) -> int:
        """Of its first process; 0 when it does not run."""
        state = self._state(container)
        return int(state["Pid"]) if state["Running"] else 0

    def started(self, container: str) -> float | None:
        """When, in seconds since the epoch; None when it does not run."""
        state = self._state(container)
        if not state["Running"]:
            return None
        day, _, fraction = str(state["StartedAt"]).rstrip("Z").partition(".")
        return datetime.fromisoformat(f"{day}+00:00").timestamp() + float(f"0.{fraction or 0}")

    def serves(self) -> bool:
        """Whether the VPN is healthy; one without a health check, whether it runs."""
        state = self._state(self.vpn)
        health = (state.get("Health") or {}).get("Status", "healthy")
        return bool(state["Running"]) and health == "healthy"

    def together(self) -> bool:
        """Whether all run, in one network."""
        pids = [self.pid(each) for each in (self.vpn, *self.guests)]
        try:
            return all(pids) and len({os.stat(f"/proc/{pid}/ns/net").st_ino for pid in pids}) == 1
        except OSError:
            return False

    def bring_back(self, patience: float) -> None:
        """Start what does not run, the VPN first; the others once more where they are in a network that is gone. Docker may not answer for a while."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                if self._stays_together():
                    return
                docker("start", self.vpn)
                for each in self.guests:
                    docker("restart" if self.pid(each) and not self.together() else "start", each)
            except TROUBLE:
                time.sleep(_AGAIN)

    def _stays_together(self) -> bool:
        if not self.together():
            return False
        time.sleep(_STAYS)
        return self.together()

    def _named(self, service: str) -> str:
        wanted = {"label": [self._labels["estate"], self._labels["service"] + service]}
        query = urllib.parse.urlencode({"all": 1, "filters": json.dumps(wanted)})
        found = _ask(f"/containers/json?{query}")
        if not found:
            raise LookupError(f"{service} has no container")
        return str(max(found, key=lambda each: str(each["State"]) == "running")["Id"])

    def _state(self, container: str) -> dict[str, Any]:
        state: dict[str, Any] = _ask(f"/containers/{container}/json")["State"]
        return state


def docker(*words: str) -> None:
    """Have Docker do something, and wait until that is done, well or not."""
    subprocess.run(["docker", *words], capture_output=True, check=False)


def _ask(path: str) -> Any:
    link = http.client.HTTPConnection("localhost")
    link.sock = socket.socket(socket.AF_UNIX)
    link.sock.settimeout(_ANSWER)
    link.sock.connect(_SOCKET)
    link.request("GET", path)
    answer = link.getresponse()
    value = json.loads(answer.read())
    link.close()
    if answer.status != http.HTTPStatus.OK:
        raise LookupError(f"Docker says: {value.get('message', answer.status)}")
    return value
