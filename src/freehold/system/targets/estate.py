"""The real targets of an estate: its hosts by SSH, its machines by Incus. Made by `cli.site`, used through `api.Targets`.

It learns from `know` who there is; connections are opened when first needed and last until `close`.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from freehold.model.hosts import Host
from freehold.model.infra import Infra
from freehold.system.targets.api import Target
from freehold.system.targets.incus import IncusTarget
from freehold.system.targets.ssh import SshTarget
from freehold.system.targets.way import SshOptions, for_ansible

_ROOM_PREFIX = "freehold-ssh-"  # short: the path of a socket may have 107 bytes, unix(7)

IsPlayed = Callable[[str, str], Awaitable[bool]]


class EstateTargets:
    """Hosts and machines by the names that infra.yml gives them. `incus` is the socket behind which the machines are.

    `is_there` tells of an estate's host whether it exists, where Freehold itself makes hosts (the lab).
    """

    def __init__(self, options: SshOptions, incus: Path, is_there: IsPlayed | None = None) -> None:
        self.options = options
        self._incus = incus
        self._is_there = is_there
        self._room: Path | None = None
        self._hosts: dict[str, SshTarget] = {}
        self._machines: dict[str, IncusTarget] = {}

    def know(self, infra: Infra) -> None:
        """These are its hosts and machines."""
        for machine in infra.machines():
            self._machines.setdefault(machine.key, IncusTarget(machine, self._incus))
        for host in infra.hosts:
            if host.name not in self._hosts:
                self._hosts[host.name] = self._of(infra.name, host)

    def target(self, name: str) -> Target:
        return self._hosts.get(name) or self._machines[name]

    async def ansible_variables(self, name: str) -> Mapping[str, object]:
        if name not in self._hosts:
            return {}
        host, way = self._hosts[name].host, await self._hosts[name].enter()
        found: dict[str, object] = {"ansible_ssh_args": for_ansible(self.options, way.socket)}
        if self.options.settings:
            found["ansible_ssh_common_args"] = ""  # they are those of the computer that is played
        if way.ssh != host.ssh:  # a role that moves the way in must know which one it stands on
            found["freehold_entered_as"] = way.ssh.user
            found["freehold_entered_at"] = way.ssh.port
            found["ansible_become"] = way.ssh.user != "root"
            # Ansible takes us for the account of infra.yml, whose home is not ours; it makes a folder of its own there.
            found["ansible_remote_tmp"] = "/tmp"  # noqa: S108
        return found

    async def leave(self, name: str) -> None:
        """End the connection to a host, which is about to be switched off: what is asked of it next opens another."""
        if (host := self._hosts.get(name)) is not None:
            await host.close()

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._hosts.values()))
        if self._room is not None:
            shutil.rmtree(self._room, ignore_errors=True)
            self._room = None

    def _of(self, estate: str, host: Host) -> SshTarget:
        if self._room is None:
            self._room = Path(tempfile.mkdtemp(prefix=_ROOM_PREFIX, dir=_runtime_folder()))
        socket = self._room / str(len(self._hosts))
        if (asked := self._is_there) is None:
            return SshTarget(host, self.options, socket)
        return SshTarget(host, self.options, socket, lambda: asked(estate, host.name))


def _runtime_folder() -> str | None:
    """Where sockets of this user belong (XDG Base Directory Specification); None for the system's temporary folder."""
    if os.geteuid() == 0:
        return "/run" if os.access("/run", os.W_OK) else None
    return os.environ.get("XDG_RUNTIME_DIR")
