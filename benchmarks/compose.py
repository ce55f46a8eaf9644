"""How long services take from nothing to healthy, and a run with nothing to do, beside a plain `docker compose up`.

One machine of a lab with Docker, and N services of a small Python program on N/2 networks, half of which need another one. Prints the medians of
several rounds in which the ways take turns, each beginning with an empty Docker that has the image:

    freehold apply       the whole process: the look, the tree, delivery, start in the order of needs, health
    docker compose up    the same Compose file, brought there and run by `incus exec`: `up --detach --wait`; it knows
                         no needs and starts all at once

then the same again when nothing is to be done. Run it as root on a computer that does nothing else: `make bench`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image

FREEHOLD = Path(sys.executable).parent / "freehold"
IMAGE = "registry.example.org/small:1"
ROOT = "/var/lib/freehold/bench"
PLAIN = f"docker compose --file {ROOT}/compose/compose.yml up --detach --wait --quiet-pull"

DESCRIPTOR = """\
title: Small
description: Answers
version: "1"
container:
  image: registry.example.org/small
  command: [python3, -m, http.server, "8080"]
  stop: 1s
ports:
  http: {{number: 8080, network: "{network}"}}
{needs}health:
  command: [python3, -c, "import socket; socket.create_connection(('127.0.0.1', 8080), 1)"]
"""
LOAD = f"""
set -eu
cd /
tar -c --exclude='usr/bin/docker*' --exclude='*/libLLVM*' bin sbin lib lib64 usr/bin usr/lib/*-linux-gnu usr/lib/python3* usr/lib64 \\
    etc/passwd etc/group etc/nsswitch.conf etc/ld.so.cache >/var/tmp/small.tar
docker import /var/tmp/small.tar {IMAGE}
"""
CLEAN = f"""
ids=$(docker ps --all --quiet); [ -z "$ids" ] || docker rm --force $ids >/dev/null
docker network prune --force >/dev/null
rm -rf {ROOT}
"""

Times = dict[tuple[str, str], list[float]]  # way and what it did, to seconds


class Bench:
    """The estate in its lab."""

    def __init__(self, lab: Lab, folder: Path, services: int) -> None:
        self.lab = lab
        self.folder = folder
        self.services = services

    def write(self, *, placed: bool) -> None:
        """infra.yml with its catalog: services by pairs, the second of each needs the first."""
        (self.folder / "catalog").mkdir(exist_ok=True)
        lines = ["services:"] if placed else []
        for number in range(self.services):
            first = number - number % 2
            needs = f"needs:\n  first: {{service: small{first}}}\n" if number % 2 else ""
            text = DESCRIPTOR.format(network=f"pair{first}", needs=needs)
            (self.folder / "catalog" / f"small{number}.yml").write_text(text)
            lines += [f"  small{number}: {{on: bench/box}}"] if placed else []
        (self.folder / "infra.yml").write_text(
            "freehold: 1\nname: bench\ndomains:\n  bench:\n    subnet_id: 1\n    machines:\n      box:\n"
            "        ip: 10.100.1.10\n        provision: {roles: [docker_engine]}\n        config: {security.nesting: 'true', security.idmap.isolated: 'true'}\n"
            + "".join(f"{line}\n" for line in lines)
        )

    def freehold(self, *words: str) -> float:
        """Seconds of one command."""
        environment = {**os.environ, "FREEHOLD_LAB": str(self.lab.root)}
        return _run([str(FREEHOLD), "--lab", "-C", str(self.folder), *words], environment)

    def apply(self) -> float:
        return self.freehold("apply", "--yes")

    def plain(self) -> float:
        """Seconds to bring the Compose file there and to have it run."""
        text = (self.folder / "compose/bench/box/compose.yml").read_text()
        return self.inside(f"mkdir -p {ROOT}/compose && cat >{ROOT}/compose/compose.yml && {PLAIN}", text)  # fmt: skip

    def inside(self, script: str, given: str = "") -> float:
        argv = [str(FREEHOLD), "lab", "run", "--", "incus", "exec", "--project", "bench", "bench-box", "-T", "--", "sh", "-c", script]  # fmt: skip
        return _run(argv, {**os.environ, "FREEHOLD_LAB": str(self.lab.root)}, given)


def _run(argv: list[str], environment: dict[str, str], given: str = "") -> float:
    started = time.monotonic()
    done = subprocess.run(argv, env=environment, input=given, capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(argv[:6])} … ended with {done.returncode}:\n{done.stdout}{done.stderr}")  # fmt: skip
    return time.monotonic() - started


@contextmanager
def bench(services: int) -> Iterator[Bench]:
    """A lab with a machine that has Docker and the image; nothing of it stays."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as place:
        Path(place).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(place, "lab"))
        lab.start(egress=True)
        try:
            ensure_image(lab, "debian/13", lambda text: None)
            made = Bench(lab, Path(place, "estate"), services)
            made.folder.mkdir()
            made.write(placed=False)
            made.apply()
            made.inside(LOAD)
            made.write(placed=True)
            made.apply()  # the role and the tree, which are not what is measured
            yield made
        finally:
            lab.reset()


def measured(made: Bench, rounds: int) -> Times:
    """The seconds of each way, by turns."""
    times: Times = defaultdict(list)
    ways: dict[str, Callable[[], float]] = {"freehold apply": made.apply, "docker compose up": made.plain}  # fmt: skip
    for number in range(rounds):
        for way in sorted(ways, reverse=bool(number % 2)):
            made.inside(CLEAN)
            times[way, "nothing to healthy"].append(ways[way]())
            times[way, "nothing to do"].append(ways[way]())
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--services", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with bench(options.services) as made:
        times = measured(made, options.rounds)
    print(f"{options.services} services, medians of {options.rounds} rounds, seconds (lowest to highest)")  # fmt: skip
    for (way, what), seconds in sorted(times.items(), key=lambda item: item[0][1]):
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"  {what:20} {way:20} {statistics.median(seconds):6.2f}  ({spread})")


if __name__ == "__main__":
    main()
