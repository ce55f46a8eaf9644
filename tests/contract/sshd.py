"""A real OpenSSH server on loopback with keys and a configuration of its own, for tests that enter a host."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SOON = 60.0  # seconds for a server to answer on a busy computer
_CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


class Sshd:
    """The server; `key` is the private key of who may log in as root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "key"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("key", "host_key"):
            self.make_key(name)
        shutil.copy(folder / "key.pub", folder / "authorized_keys")
        (folder / "sshd_config").write_text(
            _CONFIGURATION.format(port=self.port, folder=folder), encoding="utf-8"
        )

    def make_key(self, name: str) -> None:
        """Make a key pair of this name, in place of the one that is there."""
        (self.folder / name).unlink(missing_ok=True)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
        subprocess.run(argv, check=True)

    def start(self) -> None:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks itself in, sshd(8)
        log = (self.folder / "log").open("ab")
        argv = ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "sshd_config")]
        with log:
            self._process = subprocess.Popen(argv, stderr=log, start_new_session=True)
        deadline = time.monotonic() + SOON
        while not self._listens():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it with all its connections."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            for pid in _sessions_of(self.port):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            self._process.wait()
            self._process = None

    def logins(self) -> int:
        """How often somebody has logged in."""
        return (self.folder / "log").read_text(errors="replace").count("Accepted publickey")

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Sshd]:
    """A server for the block. Skips where there is none, or for who is not root."""
    if os.geteuid() != 0 or not Path("/usr/sbin/sshd").exists():
        pytest.skip("needs root and openssh-server (scripts/prerequisites)")
    server = Sshd(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sessions_of(port: int) -> list[int]:
    """Servers of single connections, which have sessions of their own."""
    found = subprocess.run(
        ["ss", "-Htnp", f"sport = :{port}"], capture_output=True, text=True, check=True
    ).stdout
    return [int(part.split(",")[0]) for part in found.split("pid=")[1:]]
