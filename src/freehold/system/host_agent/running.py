"""Runs an agent as a program of its own, until it is told to end. Called by `operations.host_agent`."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import freehold
from freehold.system.host_agent.charge import Charge, code_digest
from freehold.system.host_agent.messages import LARGEST
from freehold.system.host_agent.server import Agent, note


def run(agent_of: Callable[[Charge, str], Agent]) -> None:
    """Do what the file says that is named on the command line. Exits with 1 when it says nothing."""
    path = Path(sys.argv[1])
    charge = Charge.read(path)
    if charge is None:
        note(f"{path}: it does not say what this agent is for")
        sys.exit(1)
    code = code_digest(Path(freehold.__file__).parent)
    asyncio.run(serve(agent_of(charge, code), charge))


async def serve(agent: Agent, charge: Charge) -> None:
    """Answer until SIGTERM or SIGINT. A trial that is under way is undone then."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    handle = listening(Path(charge.listen))
    server = await asyncio.start_unix_server(agent.meet, sock=handle, limit=LARGEST)
    note(f"for the estate {charge.estate}, at {charge.listen}")
    await ended.wait()
    server.close()  # asyncio.run ends whoever is still being answered


def listening(path: Path) -> socket.socket:
    """The socket, which only root may use. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    handle = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        handle.bind(str(path))
    finally:
        os.umask(before)
    return handle
