"""Hosts by real SSH and real Ansible: a server on loopback, and a role that writes into the test's own folder."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from freehold.engine.planner import Planner
from freehold.engine.run import run
from freehold.model import Host, Infra, Provision
from freehold.model.hosts import Ssh
from freehold.providers.ansible.files import TreeProvider
from freehold.system.ansible import Play, PlayEnd
from freehold.system.ansible.program import AnsibleProgram
from freehold.system.targets.estate import EstateTargets
from freehold.system.targets.way import SshOptions
from tests.contract.sshd import Sshd, running

pytestmark = pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="no /usr/bin/python3")
NOBODY_LISTENS = 9


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "sshd").mkdir()
    with running(tmp_path / "sshd") as server:
        yield server


class Desk:
    """An estate's folder with one host, and its tree as `sync` writes it."""

    def __init__(self, server: Sshd, folder: Path) -> None:
        self.server = server
        self.folder = folder / "an estate"  # with a space in its path
        self.greeting = folder / "greeting"
        self.right = Ssh(port=server.port, key=str(server.key))
        tasks = self.folder / "roles" / "greeting" / "tasks"
        tasks.mkdir(parents=True)
        (tasks / "main.yml").write_text(
            f"- name: Greet\n  ansible.builtin.copy: {{content: '{{{{ freehold_host }}}}', dest: {self.greeting}, mode: '0644'}}\n"
        )

    def infra(self, host: Host) -> Infra:
        return Infra(name="orion", base=IPv4Network("10.100.0.0/16"), hosts=(host,))

    def host(self, ssh: Ssh, first: Ssh | None = None) -> Host:
        provision = Provision(roles=("greeting",))
        return Host(name="cortex", address="127.0.0.1", ssh=ssh, first=first, provision=provision)

    def sync(self, infra: Infra) -> None:
        async def work() -> None:
            planner = Planner(infra=infra, provider=TreeProvider(self.folder, always=True))
            plan = (await planner.look()).plan
            await run(planner, plan, lambda event: None, asyncio.Event())

        asyncio.run(work())

    def play(self, infra: Infra, *, check: bool = False) -> PlayEnd:
        """As `freehold apply` does: through the connection that is open already."""

        async def work() -> PlayEnd:
            known = self.folder / ".freehold" / "known_hosts"
            options = SshOptions(folder=self.folder, known_hosts=known, also_known=())
            targets = EstateTargets(options, Path("/nonexistent"))
            targets.know(infra)
            try:
                await targets.target("cortex").run(["true"])
                way = await targets.ansible_variables("cortex")
                log = self.folder / "log"
                play = Play(host="cortex", tags=["provision"], log=log, check=check, variables=way)
                return await AnsibleProgram(self.folder).run(play, lambda text: None)
            finally:
                await targets.close()

        return asyncio.run(work())


@pytest.fixture
def desk(server: Sshd, tmp_path: Path) -> Desk:
    return Desk(server, tmp_path)


def test_a_play_goes_through_the_connection_that_is_open(desk: Desk) -> None:
    infra = desk.infra(desk.host(desk.right))
    desk.sync(infra)

    end = desk.play(infra)

    assert not end.failed, end
    assert desk.greeting.read_text() == "cortex"
    assert desk.server.logins() == 1
    assert desk.play(infra, check=True).changed == ()


@pytest.mark.slow
def test_a_play_takes_the_first_way_while_the_other_does_not_answer(desk: Desk) -> None:
    later = replace(desk.right, port=NOBODY_LISTENS, user="orion")
    infra = desk.infra(desk.host(later, first=desk.right))
    said = "'{{ freehold_entered_as }} {{ freehold_entered_at }} {{ ansible_user }}'"
    tasks = desk.folder / "roles" / "greeting" / "tasks" / "main.yml"
    tasks.write_text(tasks.read_text().replace("'{{ freehold_host }}'", said))
    desk.sync(infra)

    end = desk.play(infra)

    assert not end.failed, end
    assert desk.greeting.read_text() == f"root {desk.server.port} orion"


@pytest.mark.slow
def test_ansible_reaches_it_by_itself_and_keeps_its_key_where_freehold_does(desk: Desk) -> None:
    desk.sync(desk.infra(desk.host(desk.right)))
    (desk.folder / ".freehold").mkdir(exist_ok=True)

    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "site.yml", "--limit", "cortex"],
        cwd=desk.folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.greeting.read_text() == "cortex"
    known = (desk.folder / ".freehold" / "known_hosts").read_text()
    assert f"[127.0.0.1]:{desk.server.port}" in known
