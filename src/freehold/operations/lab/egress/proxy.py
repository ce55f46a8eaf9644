"""The proxy of the lab's egress: a program of its own, outside of the lab's namespaces.

Started by `process.py` (`python -m freehold.operations.lab.egress.proxy ROOT`, its settings on standard input). It leaves
itself behind, detached, and ends with the lab: it watches the lab's first process. Once it listens it is nobody, not root.
"""

import asyncio
import json
import os
import socket
import sys
import time
from asyncio import StreamReader, StreamWriter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import h11

from freehold.operations.lab.egress.exchange import Exchange
from freehold.operations.lab.egress.gate import Gate, Remembered, look_up
from freehold.operations.lab.egress.side import BLOCK, close
from freehold.operations.lab.egress.targets import Target
from freehold.operations.lab.egress.upstream import Upstream
from freehold.operations.lab.egress.way import Ways
from freehold.operations.lab.layout import Layout
from freehold.operations.lab.record import read_holder, write_process
from freehold.system import namespaces
from freehold.system.listening import owners_socket

MOST_CONNECTIONS = 256  # of all machines together; each costs two file descriptors
LOG_LIMIT = 1 << 18  # bytes: a machine must not fill the disk with refusals
NOBODY = 65534  # the user that owns nothing, on every Linux
MOST_LOOKUPS = 32  # at once: one that hangs must not hold up the others
_TOO_MANY = b"HTTP/1.1 503 Freehold's lab: too many connections\r\nConnection: close\r\n\r\n"


def main(root: Path) -> int:
    """Listen and leave the serving process behind. The exit code of the process that was started."""
    place = Layout(root)
    ways = ways_from(sys.stdin.read())
    if (holder := read_holder(place)) is None:
        say("the lab has ended")
        return 1
    ended = os.pidfd_open(holder[0].pid)  # from here on the number cannot be another process's
    if not holder[0].alive:
        return 1
    try:
        listening = owners_socket(place.egress_socket)  # Incus connects, for the machines
        listening.listen(MOST_CONNECTIONS)
    except OSError as error:
        say(f"{place.egress_socket}: {error.strerror or error}")
        return 1
    if child := os.fork():
        write_process(place.egress_record, child)
        return 0
    _leave_session(place)
    asyncio.run(serve(listening, ended, ways))
    return 0


def ways_from(text: str) -> Ways:
    """The ways out, as `process.py` describes them in JSON."""
    given = json.loads(text)
    servers = frozenset(Target(host, port) for host, port in given["servers"])
    return Ways(
        gate=Gate(servers, Remembered(look_up)),
        upstreams={scheme: Upstream.of_address(text) for scheme, text in given["proxies"].items()},
        direct=given["direct"],
    )


async def serve(listening: socket.socket, ended: int, ways: Ways) -> None:
    """Answer until the process behind the descriptor `ended` (pidfd_open(2)) has ended."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(ended, over.set)
    loop.set_default_executor(ThreadPoolExecutor(MOST_LOOKUPS))
    # What Python loads on first use it must load while it may still read every folder.
    with suppress(OSError):
        await look_up("localhost", 80)
    _become_nobody()
    server = await asyncio.start_unix_server(Door(ways).enter, sock=listening, limit=BLOCK)
    async with server:
        await over.wait()
        os._exit(0)  # the kernel closes the rest; nobody waits for it


class Door:
    """Lets in as many connections as there is room for."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._inside = 0

    async def enter(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection; nothing that goes wrong in it reaches the others."""
        if self._inside >= MOST_CONNECTIONS:
            writer.write(_TOO_MANY)
            await close(writer)
            return
        self._inside += 1
        try:
            await Exchange(self._ways, say, reader, writer).run()
        except (OSError, h11.ProtocolError):
            pass  # the machine, or whom it spoke with, has gone
        finally:
            self._inside -= 1


def _leave_session(place: Layout) -> None:
    """Do not end with the terminal or the service that started the lab: move to the lab's cgroup, where there is one."""
    os.setsid()
    if (tree := namespaces.cgroup2_mount()) is None:
        return
    with suppress(OSError):
        own = tree / place.cgroup / "egress"
        own.mkdir(exist_ok=True)
        (own / "cgroup.procs").write_text("0")


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def say(text: str) -> None:
    """Standard error is the log of egress; it is not written without end."""
    with suppress(OSError):
        if os.fstat(2).st_size < LOG_LIMIT:
            sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}\n")
            sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
