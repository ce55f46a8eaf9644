"""Images under their names in the catalog for the programs that Debian has, each with the entrypoint of its makers' image.

All of them are one system of Debian's packages (`tests/stack/images.py` makes it): a name more costs a layer without files. What Debian calls
otherwise lies where the makers have it. Called by `conftest.py`.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from tests.stack.images import PACKAGES

EVERY_PACKAGE = f"{PACKAGES},prometheus,prometheus-alertmanager,prometheus-node-exporter,prometheus-blackbox-exporter,ca-certificates,curl"
SYSTEM = "registry.example.org/debian:13"

_PLACES = {
    "/bin/alertmanager": "/usr/bin/prometheus-alertmanager",
    "/bin/node_exporter": "/usr/bin/prometheus-node-exporter",
    "/bin/blackbox_exporter": "/usr/bin/prometheus-blackbox-exporter",
    "/usr/local/bin/python": "/usr/bin/python3",
}


@dataclass(frozen=True)
class Made:
    """How an image begins. `user` None: root."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str | None = None

    def changes(self) -> str:
        """As options of `docker commit`."""
        lines = [f"ENTRYPOINT {json.dumps(self.entrypoint)}", f"CMD {json.dumps(self.command)}"]
        lines += [f"USER {self.user}"] if self.user else []
        return " ".join(f"--change {shlex.quote(line)}" for line in lines)


STARTED = Made(("/usr/local/bin/start",), ("python3",))
_CADDY = ("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")

BY_KIND: Mapping[str, Made] = {
    "caddy": Made((), _CADDY),
    "prometheus": Made(("/bin/prometheus",), user="65534"),
    "alertmanager": Made(("/bin/alertmanager",), user="65534"),
    "node-exporter": Made(("/bin/node_exporter",), user="65534"),
    "blackbox-exporter": Made(("/bin/blackbox_exporter",), user="65534"),
    "dead-man": Made((), ("python3",)),
    "alert-bot": Made((), ("python3",)),
    "postgresql": STARTED,
    "redis": STARTED,
}
"""Of the catalog's entries, those whose program is in the system."""


def load_script(names: Mapping[str, Made]) -> str:
    """What makes these images on a host from the system in /var/tmp/stack.tar."""
    lines = ["set -eu", f"docker import /var/tmp/stack.tar {SYSTEM}", "rm /var/tmp/stack.tar"]
    for name, made in names.items():
        lines += [
            f"id=$(docker create {SYSTEM} true)",
            f'docker commit {made.changes()} "$id" {shlex.quote(name)}',
            'docker rm "$id"',
        ]
    return "\n".join(lines)


def places_script() -> str:
    """What puts programs and folders where the makers' images have them; run in the system before it is packed."""
    links = [f"ln -sf {real} {there}" for there, real in _PLACES.items()]
    return " && ".join([*links, "install -d -o 65534 -g 65534 /prometheus /alertmanager"])
