"""Whether the lab plays a host yet. Asked by `system.targets` before SSH is tried, so that a host to be made is no host that is down."""

import asyncio
from pathlib import Path
from urllib.parse import quote

from freehold.diagnostics import BackendError, Diagnostic
from freehold.providers.lab_hosts.marks import project_name

_NOT_FOUND = 404


async def is_played(socket: Path, estate: str, host: str) -> bool:
    """`socket` is that of the lab's Incus. Raises BackendError when it cannot be asked."""
    from freehold.system.unix_http import ask

    path = f"/1.0/instances/{quote(host)}?project={quote(project_name(estate))}"
    try:
        return (await asyncio.to_thread(ask, socket, "GET", path)).code != _NOT_FOUND
    except (OSError, ValueError) as error:
        raise BackendError(_cannot_ask(socket, error)) from error


def _cannot_ask(socket: Path, error: Exception) -> Diagnostic:
    return Diagnostic(
        code="lab-incus-unreachable",
        summary="The lab's Incus does not answer",
        detail=f"{socket}: {error}",
        hint="See whether the lab runs:\n    freehold lab status",
    )
