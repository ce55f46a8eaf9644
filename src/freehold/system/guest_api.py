"""Inside an instance: which one it is. Asked by `cli.snapshot` for `self`.

Source: the socket that Incus gives every instance, https://linuxcontainers.org/incus/docs/main/dev-incus/
"""

import platform
from pathlib import Path

from freehold.system.unix_http import ask_text

SOCKET = Path("/dev/incus/sock")
_NAME = "local-hostname:"


def own_instance(socket: Path = SOCKET) -> str:
    """The name of the instance in which this process runs; the computer's own name where Incus tells none.

    A host name can be changed by anybody inside, so Incus is asked first.
    """
    try:
        told = ask_text(socket, "/1.0/meta-data", timeout=2.0)
    except OSError:
        return platform.node()
    names = [
        line.removeprefix(_NAME).strip() for line in told.splitlines() if line.startswith(_NAME)
    ]
    return names[0] if names else platform.node()
