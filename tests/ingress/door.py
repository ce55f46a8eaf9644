"""A Caddy that runs on loopback with the file that the catalog makes for it, and its visitors. Called by `test_door.py`."""

import json
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from freehold.config.catalog.catalog import built_in_folder
from tests.ingress.caddy import binary, environment
from tests.ingress.rendered import CADDYFILE, delivered, estate
from tests.ingress.standins import Login, Page, served

HERE, BACK, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.9"
"""Where Caddy listens and its friends are; the other computer; an address that is not `inside`."""

PORTS = ("http", "https", "tunnel", "metrics", "admin", "films", "notes", "login")
PATIENCE = 60.0
NONE: Mapping[str, str] = {}

ESTATE = """
    freehold: 1
    name: maison
    hosts:
      front: {{address: 127.0.0.1}}
      back: {{address: 127.0.0.2}}
    services:
      door: {{on: front, service: caddy, settings: {{inside: 127.0.0.1/32}}}}
      login:
        on: back
        service: authelia
        ports: {{http: {login}}}
        expose: {{host: auth.example.org, public: true, auth: none, reason: it is the login}}
      films: {{on: back, service: page, ports: {{http: {films}}}, expose: {{host: media.example.org, public: true}}}}
      notes: {{on: back, service: page, ports: {{http: {notes}}}, expose: {{host: notes.example.org}}}}
    """


@dataclass(frozen=True)
class Answer:
    """What came back. Headers by their names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def sent(self) -> dict[str, Any]:
        """What a page says that it was sent."""
        read: dict[str, Any] = json.loads(self.text)
        return read


class Door:
    """The running Caddy."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self.folder = folder
        self.ports = ports
        self.authority = folder / "caddy/pki/authorities/local/root.crt"

    def ask(
        self, url: str, headers: Mapping[str, str] = NONE, source: str = HERE, by: str = ""
    ) -> Answer:
        """A GET from an address, as a browser sends it. `by` is the port, else that of the scheme. Raises OSError, HTTPException."""
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        connection = HTTPConnection(
            HERE, self.ports[by or scheme], timeout=20, source_address=(source, 0)
        )
        connection.connect()
        try:
            if scheme == "https":
                trust = ssl.create_default_context(cafile=self.authority)
                connection.sock = trust.wrap_socket(connection.sock, server_hostname=host)
            connection.request("GET", slash + path or "/", headers={"Host": host, **headers})
            return _answer(connection.getresponse())
        finally:
            connection.close()

    def refuses(self, url: str, **how: Any) -> bool:
        """Whether the connection ends without any answer."""
        try:
            self.ask(url, **how)
        except (OSError, HTTPException):
            return True
        return False

    def log(self) -> list[dict[str, Any]]:
        """What it told on its standard output."""
        lines = (self.folder / "stdout").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def _answer(response: HTTPResponse) -> Answer:
    headers = {name.lower(): text for name, text in response.getheaders()}
    return Answer(response.status, headers, response.read().decode())


@contextmanager
def opened(folder: Path) -> Iterator[Door]:
    """Caddy and what stands behind it, until the end of the block."""
    ports = dict(zip(PORTS, _free(len(PORTS)), strict=True))
    program = binary()
    text = _caddyfile(folder, ports)
    (folder / "Caddyfile").write_text(text)
    argv = [program, "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    with (
        served(BACK, ports["login"], Login),
        served(BACK, ports["films"], Page),
        served(BACK, ports["notes"], Page),
        (folder / "stdout").open("w") as said,
        subprocess.Popen(
            argv, cwd=folder, env=environment(folder), stdout=said, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            door = Door(folder, ports)
            _wait(door, process)
            yield door
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _caddyfile(folder: Path, ports: dict[str, int]) -> str:
    """That of the catalog, whose ports are free ones here: an own descriptor that differs in nothing else."""
    text = (built_in_folder() / "caddy.yml").read_text()
    names = {"http": "http", "https": "https", "http3": "https", "tunnel": "tunnel", "metrics": "metrics"}  # fmt: skip
    for name, of in names.items():
        text, changed = re.subn(rf"(?m)^(  {name}: {{number:) \d+", rf"\1 {ports[of]}", text)
        assert changed == 1, name
    text = text.replace("localhost:2019", f"localhost:{ports['admin']}")
    (folder / "catalog").mkdir()
    (folder / "catalog" / "caddy.yml").write_text(text)
    return delivered(estate(folder, ESTATE.format(**ports)), "door", CADDYFILE)


def _free(count: int) -> list[int]:
    """Ports that nobody listens on."""
    held = [socket.create_server((HERE, 0)) for _ in range(count)]
    numbers = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return numbers


def _wait(door: Door, process: "subprocess.Popen[bytes]") -> None:
    """Until every name has its certificate."""
    until = time.monotonic() + PATIENCE
    names = ["auth", "media", "notes"]
    while names:
        said = (door.folder / "stdout").read_text()
        assert process.poll() is None, said
        assert time.monotonic() < until, said
        if door.authority.exists() and not door.refuses(f"https://{names[0]}.example.org/"):
            del names[0]
        else:
            time.sleep(0.1)
