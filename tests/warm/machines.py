"""The lab's machines as the tests in this folder use them: through the way that the plugin takes, or through Ansible."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from freehold.operations.lab import Lab
from freehold.system.incus.client import IncusClient
from freehold.system.unix_http import listener_pid
from freehold.system.warm.machine import Machine
from freehold.system.warm.way import Way

PROJECT, ONE, TWO, BARE = "estate", "one", "two", "bare"
WATCHED = "watched"  # its system calls are intercepted
MACHINES = (ONE, TWO, BARE)
ANSIBLE = Path(sys.executable).parent


class Machines:
    """`folder` is the test's; plays and their inventory lie in it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder

    def machine(self, name: str = ONE, patience: float = 30.0) -> Machine:
        return Machine(str(self.lab.socket), PROJECT, name, patience)

    def way(self, name: str = ONE, patience: float = 30.0) -> Way:
        return Way(self.machine(name, patience))

    def incus(self, *words: str) -> None:
        """The client, in the lab."""
        assert self.lab.run(["incus", "--project", PROJECT, *words]) == 0

    def seen_inside(self, script: str, name: str = ONE) -> str:
        """What a script in a machine says, asked without the code under test."""

        async def ask() -> str:
            client = IncusClient(self.lab.socket)
            try:
                return (await client.execute(PROJECT, name, ["sh", "-c", script])).stdout
            finally:
                await client.close()

        return asyncio.run(ask())

    def programs(self, name: str = ONE) -> list[str]:
        """The process numbers of the programs that stay in a machine."""
        script = "grep -l 'fresh = [d]ict' /proc/[0-9]*/cmdline 2>/dev/null || true"
        return [path.split("/")[2] for path in self.seen_inside(script, name).split()]

    @property
    def keeper(self) -> int | None:
        """The keeper's process."""
        folder = Path(os.environ["XDG_RUNTIME_DIR"], "freehold")
        path = next(folder.glob("*.socket"), None)
        return listener_pid(path) if path is not None else None

    def end_keeper(self, by: signal.Signals = signal.SIGTERM) -> None:
        if (pid := self.keeper) is not None:
            os.kill(pid, by)
            wait_until(lambda: not Path(f"/proc/{pid}").exists())

    def playbook(
        self, tasks: list[Any], *options: str, hosts: tuple[str, ...] = (ONE,), **variables: object
    ) -> subprocess.CompletedProcess[str]:
        """Run tasks with ansible-playbook."""
        return subprocess.run(
            self.playbook_command(tasks, *options, hosts=hosts, **variables),
            env=self.environment(), cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def playbook_command(
        self, tasks: list[Any], *options: str, hosts: tuple[str, ...] = (ONE,), **variables: object
    ) -> list[str]:
        connection: Mapping[str, object] = {
            "ansible_connection": "freehold.estate.incus",
            "ansible_incus_project": PROJECT,
            "ansible_incus_socket": str(self.lab.socket),
            "ansible_python_interpreter": "/usr/bin/python3",
            **variables,
        }
        inventory = {"all": {"hosts": {name: {} for name in hosts}, "vars": dict(connection)}}
        play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(inventory))
        (self.folder / "play.yml").write_text(yaml.safe_dump(play))
        return [str(ANSIBLE / "ansible-playbook"), "-i", "hosts.yml", "play.yml", *options]

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(self.folder / "ansible"),
        }


def wait_until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    """Until it holds; a test that waits in vain fails."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
