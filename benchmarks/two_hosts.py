"""Two hosts of a lab with Docker, and N small services on them by turns, each second of which needs the first on the other host.

The estate that `compose.py` measures, and the ways to it: Freehold, and what somebody would script with `ssh` and `docker compose`.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from freehold.operations.lab import Lab
from freehold.operations.lab.debian import DOCKER_HOST
from freehold.operations.lab.images import ensure_image

FREEHOLD = Path(sys.executable).parent / "freehold"
HOSTS = {"cortex": "203.0.113.20", "synapse": "203.0.113.21"}
IMAGE = "registry.example.org/small:1"
ROOT = "/var/lib/freehold/bench"
UP = f"docker compose --file {ROOT}/compose/compose.yml up --detach --wait --quiet-pull"

DESCRIPTOR = """\
title: Small
description: Answers
version: "1"
container:
  image: registry.example.org/small
  command: [python3, -m, http.server, "8080", --directory, /srv]
  stop: 1s
ports:
  http: {{number: 8080, network: pair{pair}}}
{needs}files:
  /srv/index.html: {{content: "{page}"}}
health:
  command: [python3, -c, "import socket; socket.create_connection(('127.0.0.1', 8080), 1)"]
"""
LOAD = f"""
set -eu
cd /
tar -c --exclude='usr/bin/docker*' --exclude='*/libLLVM*' bin sbin lib lib64 usr/bin usr/lib/*-linux-gnu usr/lib/python3* usr/lib64 \\
    etc/passwd etc/group etc/nsswitch.conf etc/ld.so.cache >/var/tmp/small.tar
docker import /var/tmp/small.tar {IMAGE}
rm /var/tmp/small.tar
"""
CLEAN = f"""
ids=$(docker ps --all --quiet); [ -z "$ids" ] || docker rm --force $ids >/dev/null
docker network prune --force >/dev/null
rm -rf {ROOT}/compose {ROOT}/secrets
"""


class TwoHosts:
    """The estate in its lab. `brought` holds for each host what the plain way copies there."""

    def __init__(self, lab: Lab, folder: Path, services: int) -> None:
        self.lab = lab
        self.folder = folder
        self.services = services
        self.brought: dict[str, bytes] = {}

    def write(self, *, placed: bool) -> None:
        """infra.yml with its catalog."""
        (self.folder / "catalog").mkdir(exist_ok=True)
        lines = [f"  {name}: {{address: {address}}}" for name, address in HOSTS.items()]
        lines += ["services:"] if placed else []
        for number in range(self.services):
            (self.folder / "catalog" / f"small{number}.yml").write_text(_descriptor(number))
            published = "" if number % 2 else f", ports: {{http: {8000 + number}}}"
            placing = f"on: {_host_of(number)}{published}"
            lines += [f"  small{number}: {{{placing}}}"] if placed else []
        text = "\n".join(["freehold: 1", "name: bench", "hosts:", *lines, ""])
        (self.folder / "infra.yml").write_text(text)

    def freehold(self, *words: str) -> float:
        """Seconds of one command, as a whole process."""
        seen = {"FREEHOLD_LAB": str(self.lab.root), "FREEHOLD_LAB_HOST_IMAGE": DOCKER_HOST}
        argv = [str(FREEHOLD), "--lab", "-C", str(self.folder), *words]
        return _seconds(lambda: _run(argv, environment={**os.environ, **seen}))

    def apply(self) -> float:
        return self.freehold("apply", "--yes")

    def plain(self) -> float:
        """Seconds of the script: to both hosts at once, the files by one command, then Compose by another."""
        return _seconds(lambda: self.on_both(self._bring))

    def on_both(self, work: Callable[[str], object]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(work, HOSTS))

    def ssh(self, host: str, script: str, given: bytes = b"") -> bytes:
        """A command on a host, by a connection of its own."""
        way = ["ssh", *self.lab.ssh_options(), "-o", "BatchMode=yes", f"root@{HOSTS[host]}"]
        return _run([*way, script], given)

    def keep(self) -> None:
        """What Freehold has made is what the plain way brings: the Compose file, and the files of the services."""
        pack = f"tar -C {ROOT} --exclude compose.yml -c compose"
        self.on_both(lambda host: self.brought.update({host: self._packed(host, self.ssh(host, pack))}))  # fmt: skip

    def _packed(self, host: str, files: bytes) -> bytes:
        """With the Compose file that stands beside infra.yml, which has no labels of Freehold's own."""
        with tempfile.TemporaryDirectory() as place:
            _run(["tar", "-C", place, "-x"], files)
            text = (self.folder / "compose" / host / "compose.yml").read_bytes()
            Path(place, "compose/compose.yml").write_bytes(text)
            return _run(["tar", "-C", place, "-c", "compose"])

    def _bring(self, host: str) -> None:
        self.ssh(host, f"mkdir -p {ROOT} && tar -C {ROOT} -x", self.brought[host])
        self.ssh(host, UP)

    def clean(self) -> None:
        """Nothing but the image is left."""
        self.on_both(lambda host: self.ssh(host, CLEAN))


def _host_of(number: int) -> str:
    """A pair is on both hosts; who is needed, on the one and the other by turns."""
    return list(HOSTS)[(number + number // 2) % 2]


def _descriptor(number: int) -> str:
    pair, second = divmod(number, 2)
    page = "{{ needs.first.host }}:{{ needs.first.ports.http }}" if second else "small"
    needs = f"needs:\n  first: {{service: small{number - 1}}}\n" if second else ""
    return DESCRIPTOR.format(pair=pair, needs=needs, page=page)


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _run(argv: list[str], given: bytes = b"", environment: dict[str, str] | None = None) -> bytes:
    done = subprocess.run(argv, env=environment, input=given, capture_output=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise SystemExit(f"{' '.join(argv[:6])} … ended with {done.returncode}:\n{said}")
    return done.stdout


@contextmanager
def two_hosts(services: int) -> Iterator[TwoHosts]:
    """Hosts that have Docker and the image, and have had the services once; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as place:
        Path(place).chmod(0o711)  # the lab's containers run as other users and have to pass through
        lab = Lab(Path(place, "lab"))
        lab.start(egress=True)
        try:
            ensure_image(lab, DOCKER_HOST, lambda text: None)
            made = TwoHosts(lab, Path(place, "estate"), services)
            made.folder.mkdir()
            made.write(placed=False)
            made.apply()
            made.on_both(lambda host: made.ssh(host, LOAD))
            made.write(placed=True)
            made.apply()  # the role and the tree, which are not what is measured
            made.keep()
            yield made
        finally:
            lab.reset()
