"""The whole chain as processes on loopback: measured, looked at, told, and watched, with the files that the catalog renders.

Debian's programs stand for those of the makers' images; of the files only addresses and paths are other ones than on hosts.
"""

import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.monitoring.estate import CHAT, rendered
from tests.monitoring.programs import (
    LOOPBACK,
    answer,
    free_port,
    running,
    wait_for,
    with_debian,
)
from tests.monitoring.telegram import Telegram
from tests.monitoring.test_files import laid

pytestmark = [pytest.mark.lab, pytest.mark.slow]

NAME = "grafana.example.org"
SILENCE = 12  # seconds
NUMBERS = ("prometheus", "alertmanager", "looks", "node-cortex", "watchman")
ADDRESSES = {
    "prometheus": "127.0.0.1:9090",
    "alertmanager": "alertmanager:9093",
    "looks": "looks:9115",
    "grafana": "grafana:3000",
    "front": "front:443",
    "node-cortex": "host.docker.internal:9100",
    "watchman": "203.0.113.21:9095",
}
"""Where each is, as the rendered files have it."""

ESTATE = """
    freehold: 1
    name: orion
    hosts:
      cortex: {{address: 203.0.113.20}}
      synapse: {{address: 203.0.113.21}}
    services:
      prometheus: {{on: cortex, settings: {{interval: 1s}}}}
      alertmanager: {{on: cortex, settings: {{wait: 1s, interval: 1s}}}}
      grafana: {{on: cortex, expose: {{host: {name}}}}}
      front: {{on: cortex, service: caddy}}
      looks: {{on: cortex, service: blackbox-exporter, settings: {{certificates: own, authority: {authority}}}}}
      node-cortex: {{on: cortex, service: node-exporter}}
      watchman: {{on: synapse, service: dead-man}}
    alerts: {{telegram: {{chat: "{chat}", token: telegram_token, api: "{api}"}}}}
    """


class _Page(BaseHTTPRequestHandler):
    """As a program behind a login answers: with another address."""

    def do_GET(self) -> None:
        self.send_response(302 if self.headers["Host"].startswith((NAME, LOOPBACK)) else 404)
        self.send_header("Location", "https://login.example.org/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def page(certificate: Path | None = None) -> Iterator[int]:
    """A page on a port of loopback, encrypted with a certificate and the key beside it."""
    server = ThreadingHTTPServer((LOOPBACK, 0), _Page)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path) -> Path:
    """For the name, its own authority, good for five days."""
    made = folder / "own.pem"
    argv: list[str | Path] = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "5",
        "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-out", made, "-keyout", made.with_suffix(".key"),
    ]  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)
    return made


class Orion:
    """The processes, each on a port of its own."""

    def __init__(self, stack: ExitStack, programs: Path, folder: Path, telegram: Telegram) -> None:
        self.stack, self.programs, self.folder, self.telegram = stack, programs, folder, telegram
        own = certificate(folder)
        self.ports = {name: free_port() for name in NUMBERS}
        self.ports["grafana"] = stack.enter_context(page())
        self.ports["front"] = stack.enter_context(page(own))
        authority = json.dumps(own.read_text())
        text = ESTATE.format(name=NAME, chat=CHAT, api=telegram.address, authority=authority)
        self.files = {
            name: laid(folder / name, {path: self._here(each) for path, each in files.items()})
            for name, files in rendered(folder, text).items()
        }

    def _here(self, text: str) -> str:
        """Addresses on loopback, and a beat every second."""
        text = text.replace("front:9180", f"{LOOPBACK}:1")  # Caddy itself is not here
        for name, address in ADDRESSES.items():
            text = text.replace(address, f"{LOOPBACK}:{self.ports[name]}")
        text = text.replace("group_interval: 1m", "group_interval: 1s")
        return text.replace("repeat_interval: 50s", "repeat_interval: 1s")

    def start(self) -> None:
        """All but Alertmanager and who watches it."""
        self._run("prometheus-node-exporter", "node-cortex", "--path.rootfs=/")
        looks = self.files["looks"] / "etc/blackbox_exporter/blackbox.yml"
        self._run("prometheus-blackbox-exporter", "looks", f"--config.file={looks}")
        asks = self.files["prometheus"] / "etc/prometheus/prometheus.yml"
        self._run("prometheus", "prometheus", f"--config.file={asks}", f"--storage.tsdb.path={self.folder}/series", "--rules.alert.resend-delay=1s")  # fmt: skip

    def watchman(self) -> None:
        """Who hears of it all."""
        program = self.files["watchman"] / "app/dead_man.py"
        self.stack.enter_context(running(self.folder, sys.executable, program, **self._watchman()))

    def alertmanager(self) -> AbstractContextManager[Any]:
        """The one that the others depend on."""
        configuration = self.files["alertmanager"] / "etc/alertmanager/alertmanager.yml"
        listen = f"--web.listen-address={LOOPBACK}:{self.ports['alertmanager']}"
        flags = [f"--config.file={configuration}", f"--storage.path={self.folder}/alerts", "--cluster.listen-address="]  # fmt: skip
        argv = with_debian(self.programs, "prometheus-alertmanager", *flags, listen)
        return running(self.folder, *argv)

    def _run(self, program: str, name: str, *flags: str) -> None:
        listen = f"--web.listen-address={LOOPBACK}:{self.ports[name]}"
        self.stack.enter_context(running(self.folder, self.programs / program, *flags, listen))

    def _watchman(self) -> Mapping[str, str]:
        return {
            "DEAD_MAN_ESTATE": "orion",
            "DEAD_MAN_API": self.telegram.address,
            "DEAD_MAN_CHAT": CHAT,
            "DEAD_MAN_ADDRESS": LOOPBACK,
            "DEAD_MAN_PORT": str(self.ports["watchman"]),
            "DEAD_MAN_SILENCE_SECONDS": str(SILENCE),
            "DEAD_MAN_STATE": str(self.folder / "state.json"),
            "DEAD_MAN_TOKEN_FILE": str(self.files["watchman"] / "run/secrets/telegram_token"),
        }

    def ask(self, question: str) -> dict[str, float]:
        """Prometheus's answer: values by the service that they are about."""
        asked = urlencode({"query": question})
        url = f"http://{LOOPBACK}:{self.ports['prometheus']}/api/v1/query?{asked}"
        got = json.loads(answer(url) or b'{"data": {"result": []}}')["data"]["result"]
        return {each["metric"].get("service", ""): float(each["value"][1]) for each in got}


@pytest.fixture
def orion(programs: Path, telegram: Telegram, tmp_path: Path) -> Iterator[Orion]:
    with ExitStack() as stack:
        made = Orion(stack, programs, tmp_path, telegram)
        made.start()
        yield made


def test_measured_looked_at_told_and_watched(orion: Orion, telegram: Telegram) -> None:
    with orion.alertmanager():
        wait_for(lambda: orion.ask("vector(1)"), "Prometheus answers")
        orion.watchman()
        up = 'up{prober=""}'
        every = {"prometheus", "alertmanager", "looks", "node-cortex", "watchman"}
        wait_for(lambda: {name for name, value in orion.ask(up).items() if value} == every, "all are measured")  # fmt: skip
        assert orion.ask(up)["front"] == 0
        wait_for(lambda: orion.ask('probe_success{ingress=""}') == {"grafana": 1}, "a look at the port")  # fmt: skip
        wait_for(lambda: orion.ask('probe_success{ingress="front"}') == {"grafana": 1}, "a look at the name")  # fmt: skip
        (left,) = orion.ask("(probe_ssl_earliest_cert_expiry - time()) / 86400").values()
        assert 4 < left < 5
        wait_for(lambda: orion.ask("time() - dead_man_last_beat_timestamp_seconds < 3"), "beats")
        wait_for(lambda: orion.ask("dead_man_silent") == {"watchman": 0}, "the watchman is content")
        assert orion.ask('node_filesystem_size_bytes{mountpoint="/"} > 0')
        assert telegram.texts == []
    wait_for(lambda: telegram.texts, "the watchman's message")
    with orion.alertmanager():
        wait_for(lambda: len(telegram.texts) > 1, "its end")
    silence, over = telegram.texts
    assert "Alertmanager has not been heard" in silence
    assert over.startswith("✅ over")
