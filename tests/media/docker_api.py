"""A stand-in for Docker, for the program that `verify --leaks` brings to a target: its containers are processes with real networks.

The program finds its socket and its command where Docker's are, in mounts of its own; nothing else of this machine is changed.
"""

import contextlib
import json
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

VPN, GUEST = "vpn", "torrents"
SERVER, OTHER = "192.0.2.2", "192.0.2.9"
COMMAND = """\
#!/usr/bin/env python3
import http.client, json, socket, sys
link = http.client.HTTPConnection("localhost")
link.sock = socket.socket(socket.AF_UNIX)
link.sock.connect("/var/run/docker.sock")
link.request("POST", "/command", json.dumps(sys.argv[1:]))
link.getresponse().read()
"""
# Mounts of its own, in which /run is the folder.
APART = 'mount --bind "$0" /run && exec env PATH="$0:$PATH" "$@"'
NAMED = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


class Docker:
    """A VPN and one service in its network. What happens at the restart: `next_server`, `dies` (its first process, after a moment), `away` (Docker)."""

    def __init__(self, folder: Path, resolver: str = "127.0.0.1", **options: object) -> None:
        self.folder, self.options = folder, options
        self.next_server, self.dies, self.away = SERVER, False, False
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.started: dict[str, datetime] = {}
        self.silent_until = 0.0
        self.server = SERVER
        (folder / "docker").write_text(COMMAND)
        (folder / "docker").chmod(0o755)
        (folder / "resolv.conf").write_text(f"nameserver {resolver}\n")

    def start(self, name: str) -> None:
        if name not in self.processes:
            self._run(name, self._vpn() if name == VPN else self._beside())

    def stop(self, name: str) -> None:
        if name in self.processes:
            process = self.processes.pop(name)
            process.kill()
            process.wait()
            if name == VPN:
                self.ready.unlink(missing_ok=True)

    def restart(self, name: str) -> None:
        self.stop(name)
        if name == VPN:
            self.server = self.next_server
            self.silent_until = time.monotonic() + 1.5 if self.away else 0.0
        if name == VPN and self.dies:
            self._run(VPN, ["unshare", "--net", "sleep", "infinity"])
            threading.Timer(1, self._once_more).start()
        else:
            self.start(name)

    def state(self, name: str) -> dict[str, Any]:
        process = self.processes.get(name)
        at = self.started[name].isoformat().replace("+00:00", "Z")
        healthy = "healthy" if self.ready.exists() else "starting"
        return {"Running": process is not None, "Pid": process.pid if process else 0, "StartedAt": at, "Health": {"Status": healthy}}  # fmt: skip

    @property
    def ready(self) -> Path:
        return self.folder / "ready"

    def run(self, argv: list[str], given: bytes) -> "subprocess.CompletedProcess[bytes]":
        """A program on this target."""
        apart = ["unshare", "--mount", "--propagation", "private", "sh", "-c", APART]
        return subprocess.run([*apart, str(self.folder), *argv], input=given, capture_output=True, check=False, timeout=120)  # fmt: skip

    def _once_more(self) -> None:
        """Docker starts again what has died."""
        process = self.processes[VPN]
        process.kill()
        process.wait()
        self._run(VPN, self._vpn())

    def _run(self, name: str, argv: list[str]) -> None:
        """It is there when it is in its network: its number is told to nobody before."""
        own = Path("/proc/self/ns/net").readlink()
        process = subprocess.Popen(argv)
        network = Path(f"/proc/{process.pid}/ns/net")
        while network.readlink() == own:
            time.sleep(0.005)
        self.started[name] = datetime.now(UTC)
        self.processes[name] = process

    def _vpn(self) -> list[str]:
        options = {"ready": str(self.ready), "server": self.server, **self.options}
        named = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", NAMED]
        program = Path(__file__).with_name("tunnel.py")
        return [*named, str(self.folder / "resolv.conf"), sys.executable, str(program), json.dumps(options)]  # fmt: skip

    def _beside(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.processes[VPN].pid}/ns/net", "sleep", "infinity"]


class _Answers(BaseHTTPRequestHandler):
    docker: Docker

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if time.monotonic() < self.docker.silent_until:
            return
        if parts.path == "/containers/json":
            [labels] = [json.loads(each)["label"] for each in parse_qs(parts.query)["filters"]]
            self._say([{"Id": labels[1].rpartition("=")[2], "State": "running"}])
        else:
            self._say({"State": self.docker.state(parts.path.split("/")[2])})

    def do_POST(self) -> None:
        verb, *names = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for name in names:
            getattr(self.docker, verb)(name)
        self._say([])

    def _say(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a UNIX socket"

    def log_message(self, *args: Any) -> None:
        pass


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def docker(folder: Path, resolver: str = "127.0.0.1", **options: object) -> Iterator[Docker]:
    """One with both containers up and the VPN serving, while the block lasts."""
    made = Docker(folder, resolver, **options)
    handler = type("Answers", (_Answers,), {"docker": made})
    with _Server(str(folder / "docker.sock"), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.start(VPN)
        end = time.monotonic() + 60
        while not made.ready.exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        made.start(GUEST)
        try:
            yield made
        finally:
            server.shutdown()
            for name in (GUEST, VPN):
                made.stop(name)
