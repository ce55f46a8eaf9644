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
    """Whether what answers at Incus's socket is no process of this computer.

    For a peer that this process cannot see the kernel says the number 0 (SO_PEERCRED in unix(7), pid_namespaces(7)): so it is
    in a container that was given the socket.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as handle:
        handle.settimeout(5)
        try:
            handle.connect(str(incus))
        except OSError:
            return False
        size = struct.calcsize("3i")
        peer = handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid: int = struct.unpack("3i", peer)[0]
    return pid == 0
