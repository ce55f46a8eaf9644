"""Two hosts that the lab plays with monitoring, alerts, a proxy with login and services, by real SSH and in real containers.

The programs are Debian's, under the catalog's names (`images.py`); Telegram, Authelia and the pages are stand-ins with descriptors of
their own in `catalog/`. Used by `test_orion.py`.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from freehold.config.load import load
from freehold.operations.lab.debian import DOCKER_HOST
from freehold.operations.lab.images import ensure_image
from tests.e2e.test_services_on_hosts import Pair
from tests.orion.images import BY_KIND, EVERY_PACKAGE, STARTED, Made, load_script, places_script
from tests.stack.images import make_system
from tests.throwaway import throwaway_lab

TOKEN = "123456:a-token-of-nobody"
PATIENCE = 420.0  # seconds for what rules wait minutes for; computers are busy

ORION = """
    freehold: 1
    name: maison
    hosts:
      cortex: {address: 203.0.113.20}
      synapse: {address: 203.0.113.21}
    services:
      prometheus: {on: cortex, settings: {interval: 5s}, expose: {host: prometheus.example.org}}
      alertmanager: {on: cortex, settings: {wait: 2s, interval: 10s}}
      looks: {on: cortex, service: blackbox-exporter}
      node-cortex: {on: cortex, service: node-exporter, settings: {cpu_busy: 100}}
      node-synapse: {on: synapse, service: node-exporter, settings: {cpu_busy: 100, not_disks: ramfs|squashfs|overlay|iso9660}}
      watchman: {on: synapse, service: dead-man, settings: {silence: 120}}
      front: {on: cortex, service: caddy, settings: {inside: 203.0.113.21}}
      login: {on: cortex, service: authelia, expose: {host: login.example.org, public: true, auth: none, reason: it is the login}}
      shop: {on: synapse, service: page, expose: {host: shop.example.org, public: true}}
      db: {on: synapse, service: postgresql}
      cache: {on: synapse, service: redis}
      telegram: {on: cortex}
    alerts: {telegram: {chat: "-1001234567890", token: telegram_token, api: "http://203.0.113.20:8088"}}
    """


class Orion(Pair):
    """With Docker on both from the start."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"FREEHOLD_LAB_HOST_IMAGE": DOCKER_HOST}

    def applied(self, *more: str) -> str:
        done = self.patient("apply", "--yes", *more)
        assert done.code == 0, done
        return done.err

    def keep_secret(self, name: str, value: str) -> None:
        subprocess.run(
            self.argv("secret", "set", name),
            cwd=self.folder,
            env=self.environment(),
            input=f"{value}\n",
            text=True,
            check=True,
        )

    def bring_images(self, system: Path) -> None:
        """What a registry would give, to the hosts that want it."""
        infra = load(self.folder).infra
        assert infra is not None
        for host in ("cortex", "synapse"):
            names: dict[str, Made] = {
                str(each.image): BY_KIND.get(each.descriptor.name, STARTED)
                for each in infra.services
                if each.target == host
            }
            self.incus("file", "push", "--project", "hosts.maison", str(system), f"{host}/var/tmp/stack.tar")  # fmt: skip
            self.on(host, "sh", "-c", load_script(names))

    def asked(self, kind: str, path: str) -> Any:
        """What Prometheus or Alertmanager answers, asked on its own host."""
        port = {"prometheus": 9090, "alertmanager": 9093}[kind]
        shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        ask = f"set -- $(docker inspect -f '{shown}' maison-{kind}-1); curl -sS -m 20 --globoff \"http://$1:{port}$0\""
        return json.loads(self.on("cortex", "sh", "-c", ask, path))

    def messages(self) -> list[str]:
        """What was sent to Telegram, in order."""
        said = self.on("cortex", "curl", "-sS", "-m", "20", "http://127.0.0.1:8088/")
        sent = [json.loads(line) for line in said.splitlines()]
        assert all(each["path"] == f"/bot{TOKEN}/sendMessage" for each in sent)
        assert all(each["chat"] == "-1001234567890" for each in sent)
        return [each["text"] for each in sent]

    def page(self, path: str = "", *more: str, host: str = "shop.example.org") -> str:
        """What Caddy answers to a name over TLS, asked from the other host, which trusts Caddy's authority."""
        words = [
            "curl",
            "-sS",
            "-m",
            "20",
            "--cacert",
            "/root/authority.crt",
            "--resolve",
            f"{host}:443:203.0.113.20",
        ]
        shown = "\n%{http_code} %{redirect_url}"
        return self.on("synapse", *words, "-w", shown, *more, f"https://{host}/{path}")

    def trust(self) -> None:
        """Bring the certificate of Caddy's own authority to the host that asks."""
        kept = "/data/caddy/pki/authorities/local/root.crt"
        text = self.on("cortex", "docker", "exec", "maison-front-1", "cat", kept)
        self.on("synapse", "sh", "-c", f"cat >/root/authority.crt <<'END'\n{text}\nEND")


def until(what: Callable[[], Any], why: str, seconds: float = PATIENCE) -> Any:
    """The first true answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(1)
    raise AssertionError(f"not within {seconds:.0f} s: {why}")


@contextmanager
def orion(made: Path) -> Iterator[Orion]:
    """Both hosts with Docker and the images, which are brought by hand: first by an apply that misses them."""
    with throwaway_lab(egress=True) as lab:
        ensure_image(lab, DOCKER_HOST, lambda text: None)
        folder = made / "estate"
        folder.mkdir()
        (folder / "catalog").symlink_to(Path(__file__).parent / "catalog")
        stack = Orion(folder, lab)
        stack.write(ORION)
        stack.keep_secret("telegram_token", TOKEN)
        first = stack.patient("apply", "--yes")
        assert first.code == 4, first
        assert "image-missing" in first.said
        stack.bring_images(make_system(made, EVERY_PACKAGE, places_script()))
        yield stack
