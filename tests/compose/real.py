"""A real Docker for the tests: a machine of a lab that the role docker_engine has set up, with images that were made there offline."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from freehold.model import Infra
from freehold.operations.lab import Lab
from freehold.operations.lab.egress.equip import equipped
from freehold.system.targets.estate import EstateTargets
from freehold.system.targets.way import SshOptions
from tests.compose.estate import TARGET
from tests.e2e.estate import Estate
from tests.provider.estate import infra_of
from tests.throwaway import throwaway_lab

IMAGES = tuple(f"registry.example.org/{name}" for name in ("keeper:1", "web:1", "web:2"))

MACHINE = """
    freehold: 1
    name: maison
    domains:
      home:
        subnet_id: 7
        machines:
          box:
            ip: 10.100.7.10
            provision: {roles: [docker_engine]}
            config: {security.nesting: "true", security.idmap.isolated: "true"}
    """

# Of the machine's own Python and what that needs: an image without any registry.
LOAD = """
set -eu
cd /
tar -c --exclude='usr/bin/docker*' --exclude='*/libLLVM*' bin sbin lib lib64 usr/bin usr/lib/*-linux-gnu usr/lib/python3* usr/lib64 \\
    etc/passwd etc/group etc/nsswitch.conf etc/ld.so.cache >/var/tmp/base.tar
docker import /var/tmp/base.tar registry.example.org/base:1
rm /var/tmp/base.tar
for name in "$@"; do docker tag registry.example.org/base:1 "$name"; done
"""
CLEAN = """
ids=$(docker ps --all --quiet); [ -z "$ids" ] || docker rm --force $ids
docker volume ls --quiet | xargs --no-run-if-empty docker volume rm
docker network prune --force
rm -rf /var/lib/freehold/maison
"""


@dataclass
class Real:
    """The lab and its machine."""

    lab: Lab
    estate: Estate

    def targets(self, loop: asyncio.AbstractEventLoop) -> EstateTargets:
        options = SshOptions(folder=self.estate.folder, known_hosts=self.estate.folder / "known")
        targets = EstateTargets(options, self.lab.socket)
        targets.know(infra_of(self.estate.folder, MACHINE))
        return targets

    def prepared(self, infra: Infra) -> Infra:
        """As the command line has it in the lab: the machine keeps its way to packages."""
        with mock.patch.dict(os.environ, {"FREEHOLD_LAB": str(self.lab.root)}):
            return equipped(infra, in_lab=True)

    def clean(self) -> None:
        """Whatever a test has left."""
        self.estate.inside(TARGET, "sh", "-c", CLEAN)


@contextmanager
def real_docker() -> Iterator[Real]:
    """A lab with a machine that has Docker and the images."""
    with tempfile.TemporaryDirectory() as folder, throwaway_lab(egress=True) as lab:
        estate = Estate(Path(folder), lab)
        estate.write(MACHINE)
        process = estate.start("apply", "--yes")
        out, err = process.communicate(timeout=500)
        assert process.returncode == 0, (out, err)
        estate.inside(TARGET, "sh", "-c", LOAD, "load", *IMAGES)
        yield Real(lab, estate)
