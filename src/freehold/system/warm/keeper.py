"""The keeper: the one process on this computer that holds the sessions into the machines of one Incus.

Started by `way.py` for the first connection, and left alone: it ends by itself when nobody has been connected for a
while. A worker of Ansible lives for one task; what lasts from one task to the next is here.
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
from freehold.system.warm.sessions import Sessions

IDLE = 60.0  # seconds without anybody connected after which the keeper ends
READY = b"ready"
_LOOK = 1.0  # seconds between two looks whether it is time
_PEER = struct.Struct("3i")  # pid, uid and gid of SO_PEERCRED, unix(7)


class Keeper:
    """Who is connected, and since when nobody is. `incus`: the daemon's socket, `own`: where the keeper listens."""

    def __init__(self, incus: Path, own: Path, idle: float) -> None:
        self._incus = incus
        self._own = own
        self._idle = idle
        self._connected = 0
        self._used = time.monotonic()
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Listen, say so on standard output, and end when it is time."""
        connection = Connection(self._incus)
        self._sessions = Sessions(connection)
        self._own.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, self._own)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._told.set)
        _tell_ready()
        try:
            await self._wait()
        finally:
            self._own.unlink(missing_ok=True)  # first: whoever comes now starts another keeper
            server.close()
            await self._sessions.close()
            await connection.close()

    async def _wait(self) -> None:
        while not self._told.is_set() and not self._is_idle():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._told.wait()
            await self._sessions.let_incus_stop()
            await self._sessions.leave_frozen()

    def _is_idle(self) -> bool:
        if self._connected:
            return False
        return time.monotonic() - self._used > self._idle or not self._incus.exists()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connected += 1
        try:
            if _user(writer) == os.geteuid():
                await Client(reader, writer, self._sessions).serve()
        finally:
            self._connected -= 1
            self._used = time.monotonic()
            writer.close()


def _user(writer: asyncio.StreamWriter) -> int:
    """Whose process is at the other end."""
    peer: socket.socket = writer.get_extra_info("socket")
    content = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    user: int = _PEER.unpack(content)[1]
    return user


def _tell_ready() -> None:
    """Let go of who has started this, by its standard output."""
    os.write(1, READY)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)


def main(incus: str, own: str, idle: str = str(IDLE)) -> None:
    """Become a process of its own and serve: `incus` is the daemon's socket, `own` the one to listen at."""
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    asyncio.run(Keeper(Path(incus), Path(own), float(idle)).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
