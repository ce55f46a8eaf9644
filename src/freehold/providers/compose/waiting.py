"""Waits until a container serves, or until it is clear that it will not. Called by `update`."""

import time
from collections.abc import Mapping
from typing import Any

from freehold.providers.compose.docker import Docker
from freehold.providers.compose.watching import State
from freehold.providers.protocol import Report

_STAYS = 3.0  # seconds that one without a health check must have run
_RESTARTS = 3  # a container that ends so often will not stay
_MARGIN = 10.0  # seconds beyond what Docker itself needs to call it unhealthy


async def until_serving(
    docker: Docker, name: str, entry: Mapping[str, Any], report: Report, *, anew: bool
) -> str | None:
    """None once the service of this entry is healthy, without a health check once it has run for a while; else why it is not.

    `anew`: its container was just made, so that whatever it ended it has ended now.
    """
    started = time.monotonic()
    patience, since = patience_for(entry), None
    before = 0 if anew else None
    at_once = True
    while (passed := time.monotonic() - started) < patience:
        state = await docker.watch.state(name, at_once=at_once)
        at_once = False
        if state is None:
            return "its container is gone"
        before = state.restarts if before is None else before
        if (why := _hopeless(state, state.restarts - before)) is not None:
            return why
        since = (since or time.monotonic()) if state.status == "running" else None
        stays = since is not None and time.monotonic() - since >= _STAYS
        if state.health == "healthy" or (state.health == "none" and stays):
            return None
        report(f"{_word(state)} for {passed:.0f} s, at most {patience:.0f} s")
    return f"it is not healthy after {patience:.0f} seconds"


def patience_for(entry: Mapping[str, Any]) -> float:
    """Seconds: as long as Docker itself waits before it calls one unhealthy, and a little more."""
    check = entry.get("healthcheck") or {}
    each = seconds(check.get("interval")) + seconds(check.get("timeout"))
    return seconds(check.get("start_period")) + int(check.get("retries", 0)) * each + _MARGIN


def seconds(text: object) -> float:
    """Of a time as `entry` writes it: `30s`."""
    return float(str(text or "0s").removesuffix("s"))


def _hopeless(state: State, restarts: int) -> str | None:
    if state.status in ("exited", "dead"):
        return f"it ended with {state.code}"
    if restarts >= _RESTARTS or (restarts and state.health == "unhealthy"):
        last = f", the last time with {state.code}" if state.code else ""
        return f"it ended {restarts} times{last}" if restarts > 1 else f"it ended{last}"
    return "its health check fails" if state.health == "unhealthy" else None


def _word(state: State) -> str:
    return state.status if state.health == "none" or state.status != "running" else state.health
