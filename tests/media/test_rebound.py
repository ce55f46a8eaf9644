"""A tunnel that is renewed within its container: what runs beside qBittorrent makes it listen on the new one.

Real interfaces and real connections; qBittorrent is a stand-in that listens as it does (`qbittorrent_api.py`).
"""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.secrets.fake import FakeSecrets
from tests.media.container import TUNNEL, Container, container
from tests.monitoring.programs import wait_for
from tests.provider.estate import infra_of

pytestmark = pytest.mark.lab

ESTATE = """
    freehold: 1
    name: maison
    hosts: {cortex: {address: 203.0.113.20}}
    services:
      vpn: {on: cortex, service: gluetun}
      downloads: {on: cortex, service: qbittorrent, settings: {port: 51413}}
    """
PASSWORD = "a password & of its own"
PORT = 51413


@pytest.fixture
def downloads(tmp_path: Path) -> Iterator[Container]:
    secrets = FakeSecrets({"downloads_password": PASSWORD.encode()})
    with container(tmp_path, infra_of(tmp_path, ESTATE), "downloads", secrets) as made:
        made.make_tunnel()
        yield made


@contextlib.contextmanager
def running(folder: Path, name: str, argv: list[str], says: str) -> Iterator[Path]:
    """A program while the block lasts, from when it says that on; what it says is in the file."""
    said = folder / f"{name}.log"
    with said.open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        wait_for(lambda: says in said.read_text(), f"{name} says {says}")
        yield said
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def qbittorrent(folder: Path, downloads: Container, password: str) -> Iterator[Path]:
    program = Path(__file__).with_name("qbittorrent_api.py")
    argv = [*downloads.network.prefix, sys.executable, str(program), str(PORT), "admin", password]
    with running(folder, "qbittorrent", argv, "ready") as said:
        yield said


@contextlib.contextmanager
def rebound(folder: Path, downloads: Container) -> Iterator[Path]:
    argv = downloads.argv("bash", "/custom-services.d/rebound")
    with running(folder, "rebound", argv, "looking whether tun0 is renewed") as said:
        yield said


def peers_come_in(downloads: Container) -> bool:
    with downloads.outside.socket(socket.SOCK_STREAM) as peer:
        try:
            peer.connect((TUNNEL, PORT))
        except OSError:
            return False
        return True


def test_after_a_renewal_peers_come_in_again(tmp_path: Path, downloads: Container) -> None:
    with qbittorrent(tmp_path, downloads, PASSWORD) as told, rebound(tmp_path, downloads) as said:
        assert peers_come_in(downloads)
        downloads.drop_tunnel()
        downloads.make_tunnel()
        assert not peers_come_in(downloads), "its listener is the old interface's"
        wait_for(lambda: "listens anew, on 51413" in said.read_text(), "told")
        assert peers_come_in(downloads)
        changes = [json.loads(line) for line in told.read_text().splitlines() if line != "ready"]
    assert changes == [{"listen_port": PORT + 1}, {"listen_port": PORT}]
    assert PASSWORD not in said.read_text()


def test_without_its_help_nobody_comes_in(tmp_path: Path, downloads: Container) -> None:
    """The stand-in does not mend itself: what the other test sees is the catalog's doing."""
    with qbittorrent(tmp_path, downloads, PASSWORD):
        downloads.drop_tunnel()
        downloads.make_tunnel()
        assert not peers_come_in(downloads)


def test_a_password_that_is_refused_is_told(tmp_path: Path, downloads: Container) -> None:
    with qbittorrent(tmp_path, downloads, "another"), rebound(tmp_path, downloads) as said:
        downloads.drop_tunnel()
        downloads.make_tunnel()
        wait_for(lambda: "does not listen anew yet: HTTP Error 401" in said.read_text(), "told")
    assert PASSWORD not in said.read_text()
