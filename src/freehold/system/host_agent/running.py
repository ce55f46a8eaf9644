"""Runs an agent as a program of its own, until it is told to end. Called by `operations.host_agent`."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import freehold
from freehold.system.host_agent.charge import Charge, code_digest
from freehold.system.host_agent.messages import LARGEST
from freehold.system.host_agent.server import Agent, note
from freehold.system.listening import owners_socket


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
    listen = Path(charge.listen)
    listen.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = owners_socket(listen)
    server = await asyncio.start_unix_server(agent.meet, sock=handle, limit=LARGEST)
    note(f"for the estate {charge.estate}, at {charge.listen}")
    await ended.wait()
    server.close()  # asyncio.run ends whoever is still being answered
