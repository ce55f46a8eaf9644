"""The host's firewall as a control machine sees and changes it: real nft, a real agent, a real socket between them."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import freehold
from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.providers.firewall.desired import desired_firewall
from freehold.providers.firewall.ruleset import commands
from freehold.providers.protocol import Report
from freehold.system.host_agent.messages import HostRefused, HostUnseen
from freehold.system.nftables import Commands, NftablesError
from tests.control.conftest import TABLE, Host, becomes_true, wait
from tests.firewall.conftest import Firewall

PATIENCE = 30.0  # seconds

pytestmark = pytest.mark.lab


class Broken:
    """A way in that new rules cut."""

    async def before(self, fields: Any, report: Report) -> None: ...

    async def after(self, report: Report) -> None:
        raise BackendError()

    async def undone(self, report: Report) -> None: ...


def rules_of(infra: Infra) -> Commands:
    return commands(TABLE, desired_firewall(infra, {}).fields)


def test_what_is_applied_from_within_is_what_the_host_itself_applies(
    host: Host, infra: Infra, opened: Infra, tmp_path: Path
) -> None:
    host.apply(infra)
    host.apply(opened)
    assert "10.100.1.10 . tcp . 9000-9010" in host.loaded()
    assert host.plan(opened).is_empty
    there = Firewall(host.namespace, tmp_path)
    there.boot._folder = tmp_path  # the agent's folder: what is loaded at a start counts too
    assert there.plan(opened).is_empty

    host.apply(opened, destroy=True)
    assert host.loaded() == ""
    assert not list(tmp_path.glob("*.json"))


def test_rules_that_cut_a_way_in_are_undone(host: Host, infra: Infra, opened: Infra) -> None:
    host.apply(infra)
    before = host.loaded()
    with pytest.raises(BackendError):
        host.apply(opened, Broken())
    assert host.loaded() == before


def test_rules_are_undone_when_whoever_tries_them_is_killed(
    host: Host, infra: Infra, opened: Infra
) -> None:
    """A control machine that is stopped in the middle, or that its own new rules cut off."""
    host.apply(infra)
    before = host.loaded()
    script = (
        "import asyncio, json, sys, time\n"
        "from pathlib import Path\n"
        "from freehold.system.host_agent.client import AgentClient\n"
        "from freehold.system.host_agent.filters import AgentNftables\n"
        "async def work():\n"
        "    agent = AgentNftables(AgentClient(Path(sys.argv[1])))\n"
        "    trial = await agent.try_out(sys.argv[2], json.load(sys.stdin), 60.0)\n"
        "    print('trying', flush=True)\n"
        "    time.sleep(60)\n"
        "asyncio.run(work())\n"
    )
    source = str(Path(freehold.__file__).parents[1])
    inside = subprocess.Popen(
        [sys.executable, "-c", script, str(host.client.path), TABLE],
        env=os.environ | {"PYTHONPATH": source},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert inside.stdin is not None
    assert inside.stdout is not None
    with inside.stdin as stdin:
        json.dump(list(rules_of(opened)), stdin)
    assert inside.stdout.readline() == "trying\n"
    assert host.loaded() != before
    inside.kill()
    inside.wait()
    inside.stdout.close()
    assert becomes_true(lambda: host.loaded() == before, PATIENCE)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_rules_are_undone_when_the_agent_ends(
    by: signal.Signals, host: Host, infra: Infra, opened: Infra
) -> None:
    host.apply(infra)
    before = host.loaded()

    async def work() -> None:
        trial = await host.nftables.try_out(TABLE, rules_of(opened), 60.0)
        assert host.loaded() != before
        await asyncio.to_thread(host.end, by)
        with pytest.raises(NftablesError) as refused:
            await trial.keep()
        assert "the computer's agent is gone" in refused.value.diagnostics[0].detail
        await trial.undo()

    wait(work())
    assert becomes_true(lambda: host.loaded() == before, PATIENCE)


def test_rules_are_undone_when_nobody_keeps_them_in_time(
    host: Host, infra: Infra, opened: Infra
) -> None:
    host.apply(infra)
    before = host.loaded()

    async def work() -> None:
        trial = await host.nftables.try_out(TABLE, rules_of(opened), 0.5)
        assert becomes_true(lambda: host.loaded() == before, PATIENCE)
        with pytest.raises(HostRefused) as refused:
            await trial.keep()
        assert "the time for them to prove good was over" in refused.value.diagnostics[0].detail

    wait(work())
    assert host.loaded() == before


def _with(infra: Infra, **changed: Any) -> Commands:
    """The rules of the estate with another table, and one more rule, element or chain."""
    rules: list[Any] = [*rules_of(infra)]
    return [*rules, changed["more"]]


def more(noun: str, **body: Any) -> Any:
    return {"add": {noun: {"family": "inet", "table": TABLE, **body}}}


FOREIGN = {
    "a table of somebody else's": {"add": {"table": {"family": "inet", "name": "incus"}}},
    "the whole ruleset": {"flush": {"ruleset": None}},
    "deleting another table": {"delete": {"table": {"family": "ip", "name": "filter"}}},
    "a rule of its own": more("rule", chain="forward", expr=[{"accept": None}]),
    "a chain of its own": more("chain", name="out", type="filter", hook="output", prio=0, policy="drop"),
    "an address translated": more("rule", chain="arriving", expr=[{"redirect": {"port": 22}}]),
    "somebody else's card": more("element", name="bridges", elem=["eth0"]),
    "another network": more("element", name="subnets", elem=[{"prefix": {"addr": "192.168.0.0", "len": 16}}]),
    "a machine elsewhere": more("element", name="machine_to_host", elem=[{"concat": ["192.0.2.1", "tcp", 22]}]),
    "Docker's bridge": more("element", name="domain_to_host", elem=[{"concat": ["docker0", "tcp", 22]}]),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_nothing_but_the_estates_own_rules_is_loaded(name: str, host: Host, infra: Infra) -> None:
    host.namespace.run("nft", "add", "table", "inet", "incus")
    host.apply(infra)
    before = host.namespace.run("nft", "list", "ruleset")
    sent = _with(infra, more=FOREIGN[name])
    for asked in (
        host.nftables.load(sent),
        host.nftables.load([FOREIGN[name]]),
        host.nftables.try_out(TABLE, sent, 5.0),
        host.nftables.set_at_boot(TABLE, sent),
        host.nftables.written(TABLE, sent),
    ):
        with pytest.raises(HostRefused) as refused:
            wait(asked)
        assert refused.value.diagnostics[0].code == "host-refused"
    assert host.namespace.run("nft", "list", "ruleset") == before
    assert host.plan(infra).is_empty


def test_another_table_is_neither_read_nor_written(host: Host, infra: Infra) -> None:
    host.namespace.run("nft", "add", "table", "inet", "freehold-other")
    for asked in (
        host.nftables.table("freehold-other"),
        host.nftables.at_boot("freehold-other"),
        host.nftables.set_at_boot("freehold-other", None),
        host.nftables.try_out("freehold-other", rules_of(infra), 5.0),
        host.client.ask("forget_way", name="freehold-other"),
        host.client.ask("run", command=["id"]),
    ):
        with pytest.raises(HostRefused):
            wait(asked)
    host.apply(infra)
    host.apply(infra, destroy=True)
    assert host.namespace.run("nft", "list", "tables") == "table inet freehold-other\n"


def test_rules_of_a_machine_between_domains_are_taken_too(host: Host, infra: Infra) -> None:
    fields = {**desired_firewall(infra, {}).fields, "transfer": "fw-cottage"}
    wait(host.nftables.load(commands(TABLE, fields)))
    assert "fw-cottage" in host.loaded()
    with pytest.raises(HostRefused):
        wait(host.nftables.load(commands(TABLE, {**fields, "transfer": "eth0"})))


def test_nonsense_ends_nothing(host: Host, infra: Infra) -> None:
    """What arrives may be anything: cut off, not JSON, of other types, and much of it."""
    for given in (b"", b"\n", b"[]\n", b'{"do": 1}\n', b'{"do": "load"}\n', b"\xff" * 4096 + b"\n",
                  b'{"do": "try_out", "name": 7, "commands": {}, "seconds": "x"}\n',
                  b'{"do": "load", "commands": [{"add": {}}, 5, null]}\n', b"{" * 100_000 + b"\n"):  # fmt: skip
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as handle:
            handle.settimeout(10)
            handle.connect(str(host.client.path))
            handle.sendall(given)
            handle.shutdown(socket.SHUT_WR)
            while handle.recv(4096):
                pass
    host.apply(infra)
    assert host.plan(infra).is_empty
    assert "Traceback" not in host.log.read_text()


def test_without_the_agent_nothing_is_known(host: Host, infra: Infra) -> None:
    host.apply(infra)
    host.end()
    for path in (host.client.path, Path("/dev/freehold-test-none")):
        host.client.path = path
        with pytest.raises(HostUnseen) as unseen:
            host.plan(infra)
        assert unseen.value.diagnostics[0].code == "host-unseen"
    time.sleep(0.2)
    assert host.loaded() != "", "the rules stay"


def test_only_root_finds_the_agent(host: Host) -> None:
    assert host.client.path.stat().st_mode & 0o777 == 0o600
