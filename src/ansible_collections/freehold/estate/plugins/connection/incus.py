"""The connection plugin: Ansible's three verbs, handed to `freehold.system.warm`. Ansible calls it in every worker."""

from __future__ import annotations

DOCUMENTATION = r"""
name: incus
short_description: Run tasks in Incus instances through the Incus API
description:
  - Enters containers and virtual machines of Incus over its unix socket, as root, without SSH and without a network.
  - Output is complete, or the task fails; a command that may have run is never repeated.
  - The same variables as those of C(community.general.incus) lead to the same instance.
author: The developers of Freehold
options:
  remote_addr:
    description: The name of the instance.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_incus_host
  project:
    description: The Incus project that the instance is in.
    type: str
    default: default
    vars:
      - name: ansible_incus_project
  remote_user:
    description:
      - The connection enters as root, and refuses any other user.
      - Use C(become) with C(become_user) to run a task as somebody else.
    type: str
    default: root
    vars:
      - name: ansible_user
    keyword:
      - name: remote_user
  executable:
    description: The shell that runs commands in the instance.
    type: str
    default: /bin/sh
    vars:
      - name: ansible_executable
      - name: ansible_incus_executable
  socket:
    description:
      - The unix socket of the Incus daemon.
      - Without it, C(unix.socket) in the folder that E(INCUS_DIR) names, else in C(/var/lib/incus).
    type: str
    env:
      - name: INCUS_SOCKET
    vars:
      - name: ansible_incus_socket
  lab:
    description: Use the Incus of Freehold's lab, the one in the folder that E(FREEHOLD_LAB) names.
    type: bool
    default: false
    vars:
      - name: freehold_lab
  pipelining:
    description: Send modules through the connection instead of as files. There is no terminal that sudo could ask for.
    type: bool
    default: true
    vars:
      - name: ansible_pipelining
"""

import os

from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase

from freehold.system.warm import files, recorded
from freehold.system.warm.daemon import Machine
from freehold.system.warm.failures import NoSuchFile, WayFailed

_DEFAULT_FOLDER = "/var/lib/incus"
_HOME = "/root"


class Connection(ConnectionBase):
    """The way into one instance."""

    transport = "freehold.estate.incus"
    has_pipelining = True
    default_user = "root"

    def _connect(self) -> Connection:
        if not self._connected:
            user = self.get_option("remote_user")
            if user != "root":
                raise AnsibleConnectionFailure(
                    f"The connection freehold.estate.incus enters as root, not as {user}. "
                    f"Leave ansible_user out and use become with become_user: {user}."
                )
            self._machine = Machine(
                self._socket(), self.get_option("project"), self.get_option("remote_addr")
            )
            self._connected = True
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a command; its exit code, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        self._display.vvv(f"EXEC {cmd}", host=self._machine.name)
        try:
            done = recorded.run(self._machine, self._words(cmd), in_data)
        except WayFailed as error:
            raise AnsibleConnectionFailure(str(error)) from error
        return done.code, done.output, done.errors

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into the instance."""
        super().put_file(in_path, out_path)
        self._display.vvv(f"PUT {in_path} TO {out_path}", host=self._machine.name)
        try:
            with open(in_path, "rb") as source:
                files.push(self._machine, source, os.path.join(_HOME, out_path))
        except FileNotFoundError as error:
            raise AnsibleFileNotFound(f"file or module does not exist: {in_path}") from error
        except WayFailed as error:
            raise AnsibleConnectionFailure(str(error)) from error

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the instance to this computer."""
        super().fetch_file(in_path, out_path)
        self._display.vvv(f"FETCH {in_path} TO {out_path}", host=self._machine.name)
        try:
            with open(out_path, "wb") as target:
                files.fetch(self._machine, os.path.join(_HOME, in_path), target)
        except NoSuchFile as error:
            raise AnsibleFileNotFound(str(error)) from error
        except WayFailed as error:
            raise AnsibleConnectionFailure(str(error)) from error

    def reset(self) -> None:
        """Forget what is open; the next command opens it anew."""
        self.close()

    def close(self) -> None:
        """Nothing is held open by this process."""
        self._connected = False

    def _words(self, command: str) -> list[str]:
        return [self.get_option("executable"), "-c", command]

    def _socket(self) -> str:
        if self.get_option("lab"):
            from freehold.operations.lab import Lab

            return str(Lab().socket)
        if found := self.get_option("socket"):
            return str(found)
        return os.path.join(os.environ.get("INCUS_DIR") or _DEFAULT_FOLDER, "unix.socket")
