"""Where this process is: on the computer that Incus runs on, or inside a control machine of it.

Called by `systems.py`; `providers.incus.control` makes devices of the same paths.
"""

import os
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

INCUS_INSIDE = Path("/dev/incus.socket")
"""Where a control machine has the socket of Incus."""

INSIDE = Path("/dev/freehold.socket")
"""Where it has that of the host's agent. In /dev only root makes files, so that nobody else can pretend to be it."""

VARIABLE = "FREEHOLD_HOST"
"""The variable that says another place."""


def agent_socket(environment: Mapping[str, str] = os.environ, usual: Path = INSIDE) -> Path | None:
    """The way to the host's agent when this is a control machine; None on any other computer."""
    if given := environment.get(VARIABLE):
        return Path(given)
    return usual if usual.is_socket() else None


def is_elsewhere(incus: Path) -> bool:
    """Whether the Incus that answers at this socket is not on this computer.

    For a peer that this process cannot see the kernel says the number 0 (SO_PEERCRED in unix(7), pid_namespaces(7)): so it is
    in a container that was given the socket. And Incus says how it knows the caller: `tls` when a program of this computer
    stands in between, with a certificate (`auth_user_method` of GET /1.0, REST API of Incus).
    """
    try:
        return _peer(incus) == 0 or _method(incus) == "tls"
    except (OSError, ValueError):
        return False


def _peer(incus: Path) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as handle:
        handle.settimeout(5)
        handle.connect(str(incus))
        size = struct.calcsize("3i")
        pid: int = struct.unpack(
            "3i", handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        )[0]
    return pid


def _method(incus: Path) -> str | None:
    from freehold.system.unix_http import ask  # whoever only wants a path does not wait for it

    metadata = ask(incus, "GET", "/1.0", timeout=5.0).body.get("metadata")
    return metadata.get("auth_user_method") if isinstance(metadata, dict) else None
