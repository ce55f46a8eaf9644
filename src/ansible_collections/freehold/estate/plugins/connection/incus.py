"""The connection plugin: Ansible's three verbs, handed to `freehold.system.warm`. Ansible loads it in every worker."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible.errors import (
    AnsibleConnectionFailure,
    AnsibleFileNotFound,
)
from ansible.plugins.connection import ConnectionBase

from freehold.system.warm.entrance import Entrance
from freehold.system.warm.failures import NoSuchFile, WayFailed
from freehold.system.warm.machine import Machine
from freehold.system.warm.shell_line import understand

DOCUMENTATION = r"""
name: incus
short_description: Run tasks in Incus instances through the Incus API
description:
  - Enters containers and virtual machines of Incus over its unix socket, as root, without SSH and without a network.
  - A Python stays in each machine and runs the modules, until nobody has asked for a minute.
  - Output is complete, or the task fails. A command that may have run is never repeated.
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
  warm:
    description:
      - Keep a Python in each machine. Without it, each command is an exec of its own whose output Incus records.
      - A machine without Python is entered in the second way by itself.
    type: bool
    default: true
    vars:
      - name: ansible_incus_warm
  pipelining:
    description: Send modules through the connection instead of as files. No terminal is needed for that here.
    type: bool
    default: true
    vars:
      - name: ansible_pipelining
"""

_DEFAULT_FOLDER = "/var/lib/incus"
_HOME = "/root"  # where relative paths begin


class Connection(ConnectionBase):
    """The way into one instance."""

    transport = "freehold.estate.incus"
    has_pipelining = True
    default_user = "root"

    def _connect(self) -> Connection:
        if not self._connected:
            self._refuse_other_users()
            self._name: str = self.get_option("remote_addr")
            machine = Machine(self._socket(), self.get_option("project"), self._name)
            self._entrance = Entrance(machine, warm=self.get_option("warm"))
            self._connected: bool = True
        return self

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a command; its exit code, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        self._display.vvv(f"EXEC {cmd}", host=self._name)
        command = understand(cmd, self.get_option("executable"), has_input=bool(in_data))
        with _told_to_ansible():
            done = self._entrance.run(command, in_data or b"")
        return done.code, done.output, done.errors

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into the instance."""
        super().put_file(in_path, out_path)
        self._display.vvv(f"PUT {in_path} TO {out_path}", host=self._name)
        if not Path(in_path).exists():
            raise AnsibleFileNotFound(f"file or module does not exist: {in_path}")
        with _told_to_ansible(), Path(in_path).open("rb") as source:
            self._entrance.push(source, posixpath.join(_HOME, out_path))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the instance to this computer."""
        super().fetch_file(in_path, out_path)
        self._display.vvv(f"FETCH {in_path} TO {out_path}", host=self._name)
        with _told_to_ansible(), Path(out_path).open("wb") as target:
            self._entrance.fetch(posixpath.join(_HOME, in_path), target)

    def reset(self) -> None:
        """Hang up; the next command connects anew."""
        self.close()

    def close(self) -> None:
        """Hang up. The Python in the instance stays, for the next task."""
        if self._connected:
            self._entrance.close()
            self._connected = False

    def _refuse_other_users(self) -> None:
        user = self.get_option("remote_user")
        if user != self.default_user:
            raise AnsibleConnectionFailure(
                f"The connection freehold.estate.incus enters as root, not as {user}. "
                f"Leave ansible_user out; use become with become_user: {user}."
            )

    def _socket(self) -> str:
        if self.get_option("lab"):
            from freehold.operations.lab.layout import default_root, layout

            return str(layout(default_root()).socket)
        if found := self.get_option("socket"):
            return str(found)
        return posixpath.join(os.environ.get("INCUS_DIR") or _DEFAULT_FOLDER, "unix.socket")


@contextmanager
def _told_to_ansible() -> Iterator[None]:
    """Failures of the way as the errors by which Ansible counts a machine as unreachable."""
    try:
        yield
    except NoSuchFile as error:
        raise AnsibleFileNotFound(str(error)) from error
    except WayFailed as error:
        raise AnsibleConnectionFailure(str(error)) from error
