"""The keeper: the one process on this computer that holds the sessions into the machines of one Incus.

Started by `way.py` for the first connection, and left alone: it ends by itself when nobody has asked for a while. A
worker of Ansible lives for one task; what is kept between two tasks is kept here.
"""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path

from freehold.system.incus.connection import Connection
from freehold.system.warm.client import Client
from freehold.system.warm.failures import WayFailed
from freehold.system.warm.session import Session, open_session

IDLE = 60.0  # seconds without anybody connected after which the keeper ends
_LOOK = 1.0  # seconds between two looks whether it is time
_ANY_PYTHON = "python3"

_Key = tuple[str, str, str]


class Keeper:
    """The sessions by project, machine and interpreter, and who uses them. `incus` is the daemon's socket."""

    def __init__(self, incus: Path, idle: float = IDLE) -> None:
        self._socket = incus
        self._idle = idle
        self._incus = Connection(incus)
        self._sessions: dict[_Key, asyncio.Task[Session]] = {}
        self._clients: set[asyncio.Task[None]] = set()
        self._used = time.monotonic()
        self._ending = asyncio.Event()

    async def session(self, project: str, machine: str, python: str | None) -> Session:
        """The open session, or a new one; for any command (`python` None) the next best will do. Raises WayFailed."""
        for key, opening in list(self._sessions.items()):
            if not opening.done() or opening.exception() or opening.result().usable:
                continue
            del self._sessions[key]
        key = (project, machine, python or self._open_one(project, machine))
        if key not in self._sessions:
            self._sessions[key] = asyncio.create_task(open_session(self._incus, *key))
        try:
            return await asyncio.shield(self._sessions[key])
        except WayFailed:
            self._sessions.pop(key, None)
            raise
