#!/usr/bin/python3
"""Pulls a model into Ollama, and waits until so much of it is there. Written by Freehold.

    pull.py pull STATE API MODEL     pulls it, and keeps in the file STATE how far it is
    pull.py wait STATE UNIT PERCENT  ends when that much is there; UNIT is the systemd unit that pulls

`POST /api/pull` answers with a JSON object a line: `status`, and for each layer of the model `total` and `completed` bytes.
The largest layer is the model itself, the others are a few KB: its bytes are what is told.
"""

# ruff: noqa: S310, T201, TID251 - it runs in the machine, with Python's own library alone

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 60.0  # until the unit that pulls has begun


def pull(state: Path, api: str, model: str) -> int:
    """Pull it to the end; 1 when Ollama says that it cannot."""
    layers: dict[str, tuple[int, int]] = {}
    tell(state, percent=0, text="asking")
    try:
        for event in events(api, model):
            if "error" in event:
                raise ValueError(event["error"])
            if total := event.get("total"):
                layers[event["digest"]] = (total, event.get("completed", 0))
            total, done = max(layers.values(), default=(1, 0))
            tell(state, percent=min(99, 100 * done // total), text=event.get("status", ""))
            if event.get("status") == "success":
                tell(state, percent=100, text="success")
                return 0
        raise ValueError("the server ended its answer before the model was there")
    except (OSError, ValueError) as failure:
        tell(state, percent=0, text="", error=f"{model}: {said(failure)}")
        return 1


def events(api: str, model: str) -> Iterator[dict[str, Any]]:
    """What the server says, as it says it."""
    body = json.dumps({"model": model, "stream": True}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{api}/pull", body, headers)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request) as answer:
        for line in answer:
            if line.strip():
                yield json.loads(line)


def said(failure: Exception) -> str:
    """The server's own words, where it has any."""
    if isinstance(failure, urllib.error.HTTPError):
        text = failure.read().decode(errors="replace")
        try:
            return str(json.loads(text)["error"])
        except (ValueError, KeyError, TypeError):
            return f"{failure} {text}".strip()
    return str(failure)


def tell(state: Path, **what: int | str) -> None:
    """Write the file, whole at any moment."""
    new = state.with_suffix(".new")
    new.write_text(json.dumps(what))
    new.replace(state)


def wait(state: Path, unit: str, percent: int) -> int:
    """Return when so much is there; 1 when it has failed, with why."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        runs = is_running(unit)  # asked first: what it writes last must not be missed
        told = json.loads(state.read_text()) if state.exists() else {}
        if "error" in told and not runs:
            print(f"Ollama cannot pull {told['error']}", file=sys.stderr)
            return 1
        if told.get("percent", -1) >= percent and "error" not in told:
            print(f"{told['percent']} %, {told['text']}")
            return 0
        if not runs and time.monotonic() > until:
            print(f"What pulled it has ended: journalctl -u {unit}", file=sys.stderr)
            return 1
        if runs:
            until = time.monotonic() + POLL_SECONDS
        time.sleep(POLL_SECONDS)


def is_running(unit: str) -> bool:
    """Whether systemd runs it or is about to."""
    done = subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False)
    return done.returncode == 0


if __name__ == "__main__":
    os.umask(0o022)
    if sys.argv[1] == "pull":
        sys.exit(pull(Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
    sys.exit(wait(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
