"""Other programs that filter packets on the estate's host: Docker's chains, the real ufw and firewalld, both iptables.

The programs (`packages`) are laid over /usr, for the eyes of one process alone. What is typed there sees them
installed, in the network of the test. dockerd itself is run by a slow test alone, for the size of its packages: elsewhere
its chains are those that moby's own tests record (integration/network/bridge/iptablesdoc), with the policy that it sets
at its start. The slow test compares them with what dockerd makes.
"""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.system.namespaces import enter_argv
from tests.firewall.wires import Namespace

_DOCKER = "/run/docker-of-the-test"
_LAY = """
mount -t tmpfs tmpfs /run && mkdir /run/etc /run/work &&
mount -t overlay overlay -o lowerdir={programs}/usr:/usr /usr &&
mount -t overlay overlay -o lowerdir={programs}/etc:/etc,upperdir=/run/etc,workdir=/run/work /etc &&
cp /usr/share/ufw/iptables/*.rules /usr/share/ufw/ufw.conf /etc/ufw/ && mkdir -p /etc/sysctl.d &&
echo ready && exec sleep infinity
"""

DOCKER_26 = """\
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
"""
DOCKER_28 = """\
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-INTERNAL - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-INTERNAL
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
COMMIT
"""


class Neighbours:
    """The programs, in the network of `host`."""

    def __init__(self, host: Namespace, programs: Path) -> None:
        self._folder = programs
        lay = _LAY.format(programs=programs)
        argv = [*host.prefix, "unshare", "--mount", "sh", "-c", lay]
        self._holder = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"

    @property
    def pid(self) -> int:
        return self._holder.pid

    @property
    def prefix(self) -> list[str]:
        return enter_argv(self.pid, [], "/")

    def type(self, command: str, given: str | None = None) -> str:
        """Have a shell carry out what somebody types."""
        argv = [*self.prefix, "sh", "-ec", command]
        done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def saved(self, program: str = "iptables-nft") -> list[str]:
        """The policies and rules, without counters and the lines that say when they were asked for."""
        lines = self.type(f"{program}-save -t filter").splitlines()
        return [re.sub(r" \[\d+:\d+\]$", "", line) for line in lines if not line.startswith("#")]

    def start_docker(self, chains: str = DOCKER_28, program: str = "iptables-nft") -> None:
        """What dockerd does to the packets of others when it starts and finds forwarding switched off."""
        self.type(f"{program}-restore --noflush", given=chains)

    @contextmanager
    def dockerd(self) -> Iterator[None]:
        """The real one, for as long as the block runs; no container is started."""
        argv = f"dockerd --data-root {_DOCKER}/data --exec-root {_DOCKER} --pidfile {_DOCKER}/pid --storage-driver vfs"
        socket_path = f"{_DOCKER}/socket"
        self.type(f"mkdir -p {_DOCKER}")
        log = self._folder / "dockerd.log"
        with log.open("w") as words:
            command = [*self.prefix, "sh", "-c", f"exec {argv} -H unix://{socket_path}"]
            process = subprocess.Popen(command, stdout=words, stderr=words)
        until = time.monotonic() + 60
        while "API listen on" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        try:
            yield
        finally:
            self.type(f"kill $(cat {_DOCKER}/pid)")  # it ends the containerd that it started, too
            process.wait(30)

    def end(self) -> None:
        self._holder.kill()
        self._holder.wait()
        if self._holder.stdout is not None:
            self._holder.stdout.close()
