"""The blueprint `orion` on two hosts that the lab plays, by real SSH and in real containers, with what can be had without a registry.

The programs are Debian's, under the catalog's names (`images.py`); Telegram, Authelia and Jellyfin are stand-ins with descriptors of
their own in `catalog/`. Used by `test_orion.py`.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from freehold.config.load import load
from freehold.operations.blueprints import blueprints
from freehold.operations.lab.debian import DOCKER_HOST
from freehold.operations.lab.images import ensure_image
from tests.e2e.test_services_on_hosts import Pair
from tests.orion.images import BY_KIND, EVERY_PACKAGE, STARTED, Made, load_script, places_script
from tests.stack.images import make_system
from tests.throwaway import throwaway_lab

TOKEN = "123456:a-token-of-nobody"
PATIENCE = 420.0  # seconds for what rules wait minutes for; computers are busy

KEPT = {*BY_KIND, "authelia", "jellyfin"}
"""Of the blueprint's services those that run here, the last two as stand-ins."""

MORE = {
    "db": {"on": "cortex", "service": "postgresql"},
    "cache": {"on": "cortex", "service": "redis"},
    "telegram": {"on": "synapse"},
}
# Shorter times, a disk that a container can have, an authority without an account, and whom the lab's addresses are of.
SETTINGS = {
    "prometheus": {"interval": "5s"},
    "alertmanager": {"wait": "2s", "interval": "10s"},
    "watchman": {"silence": 120},
    "node-cortex": {"cpu_busy": 100, "not_disks": "ramfs|squashfs|overlay|iso9660"},
    "node-synapse": {"cpu_busy": 100},
    "front": {"certificates": "internal", "inside": "203.0.113.20"},
}


class _Loader(yaml.SafeLoader):
    """With `on` as a word, which it is to YAML 1.2, and with `!secret NAME`, which is the name where `alerts` has it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, found) for tag, found in each if first not in "oO" or "bool" not in tag]
    for first, each in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor("!secret", lambda loader, node: node.value)


def offline() -> str:
    """The blueprint `orion` with what can be had without a registry, on hosts that the lab plays."""
    text = blueprints()["orion"].files["infra.yml"]
    estate = yaml.load(text, _Loader)
    services = {
        name: each for name, each in estate["services"].items() if each.get("service", name) in KEPT
    }
    for name, settings in SETTINGS.items():
        services[name]["settings"] = settings
    services["login"]["settings"] = {}
    estate["alerts"]["telegram"]["api"] = "http://203.0.113.21:8088"
    hosts = {name: {"address": host["address"]} for name, host in estate["hosts"].items()}
    return yaml.safe_dump(
        {**estate, "name": "maison", "hosts": hosts, "services": {**services, **MORE}}
    )


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
        return json.loads(self.on("synapse", "sh", "-c", ask, path))

    def messages(self) -> list[str]:
        """What was sent to Telegram, in order."""
        said = self.on("synapse", "curl", "-sS", "-m", "20", "http://127.0.0.1:8088/")
        sent = [json.loads(line) for line in said.splitlines()]
        assert all(each["path"] == f"/bot{TOKEN}/sendMessage" for each in sent)
        assert all(each["chat"] == "-1001234567890" for each in sent)
        return [each["text"] for each in sent]

    def say(self, text: str) -> None:
        """Anna writes into the chat."""
        word = {"chat": {"id": -1001234567890}, "from": {"first_name": "Anna"}, "text": text}
        self.on("synapse", "curl", "-sS", "-m", "20", "-H", "Content-Type: application/json", "-d", json.dumps(word), "http://127.0.0.1:8088/say")  # fmt: skip

    def page(self, path: str = "", *more: str, host: str = "media.example.org") -> str:
        """What Caddy answers to a name over TLS, asked from the other host, which trusts Caddy's authority."""
        words = [
            "curl",
            "-sS",
            "-m",
            "20",
            "--cacert",
            "/root/authority.crt",
            "--resolve",
            f"{host}:443:203.0.113.21",
        ]
        shown = "\n%{http_code} %{redirect_url}"
        return self.on("cortex", *words, "-w", shown, *more, f"https://{host}/{path}")

    def trust(self) -> None:
        """Bring the certificate of Caddy's own authority to the host that asks."""
        kept = "/data/caddy/pki/authorities/local/root.crt"
        text = self.on("synapse", "docker", "exec", "maison-front-1", "cat", kept)
        self.on("cortex", "sh", "-c", f"cat >/root/authority.crt <<'END'\n{text}\nEND")


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
        stack.write(offline())
        stack.keep_secret("telegram_token", TOKEN)
        first = stack.patient("apply", "--yes")
        assert first.code == 4, first
        assert "image-missing" in first.said
        stack.bring_images(make_system(made, EVERY_PACKAGE, places_script()))
        yield stack
