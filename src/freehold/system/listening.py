"""A unix socket to listen at that only its owner connects to. Used by `host_agent` and by the lab's egress."""

import os
import socket
from pathlib import Path


def owners_socket(path: Path) -> socket.socket:
    """A new one at this place, bound and not listening yet; what was there before goes. Raises OSError."""
    path.unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # from the first moment on: a chmod would come late
    try:
        found.bind(str(path))
    finally:
        os.umask(before)
    return found
