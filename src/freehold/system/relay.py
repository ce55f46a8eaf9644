"""SSH's way into the lab: connects to a host that is played there, in the lab's network, and hands the connection over.

A program of its own, started by ssh as its ProxyCommand with ProxyUseFdpass (ssh_config(5)): it passes ssh the connected
socket and ends, so nothing is copied.

    python -m freehold.system.relay RECORD HOST PORT

RECORD is the lab's note of the process that holds its namespaces, HOST the address as infra.yml declares it. A lab that is not
running is no way: never is somebody else's network, or this computer's own, taken for the lab's. `greeting` serves
whoever waits for an SSH server in the lab.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path

from freehold.model.played import played_address
from freehold.system.namespaces import enter_network
from freehold.system.processes import ProcessIdentity

CONNECT_SECONDS = 10.0


def connected(
    record: Path, host: str, port: int, timeout: float = CONNECT_SECONDS
) -> socket.socket:
    """A connection to the host, made in the lab's network. The calling thread stays in that network. Raises OSError."""
    enter_network(_holder(record))
    return socket.create_connection((str(played_address(host)), port), timeout)


def greeting(record: Path, host: str, port: int, timeout: float) -> str:
    """The first line that a server says, without its line end; empty where none says anything in time.

    In a thread of its own, which alone enters the lab's network.
    """
    heard: list[str] = []

    def listen() -> None:
        try:
            with connected(record, host, port, timeout) as connection:
                heard.append(connection.recv(255).decode("ascii", "replace").splitlines()[0])
        except (OSError, IndexError):
            pass

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    return heard[0] if heard else ""


def main(record: Path, host: str, port: int) -> int:
    """Hand the connection over; the exit code. What is wrong is said on standard error, which ssh shows."""
    try:
        connection = connected(record, host, port)
    except OSError as error:
        sys.stderr.write(f"{host}, port {port}, in the lab: {error.strerror or error}\n")
        return 1
    connection.setblocking(True)
    with connection, socket.socket(fileno=os.dup(1)) as ssh:
        socket.send_fds(ssh, [b"\0"], [connection.fileno()])
    return 0


def _holder(record: Path) -> int:
    """The process whose network is the lab's. Raises OSError."""
    try:
        process = ProcessIdentity(**json.loads(record.read_text())["process"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        process = None
    if process is None or not process.alive:
        raise ProcessLookupError(0, "the lab is not running")
    return process.pid


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    os._exit(code)
