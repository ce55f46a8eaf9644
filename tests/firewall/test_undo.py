"""The guard of new rules, with real nft in a namespace of its own: kept in time, or the old ones are back."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from freehold.system.nftables import Commands, NftablesError, undo
from freehold.system.nftables.boot import BootRules
from freehold.system.nftables.listing import emptied, parsed, restoring
from freehold.system.nftables.program import NftProgram
from tests.firewall.wires import Namespace

Value = TypeVar("Value")
NAME = "freehold-cottage"
TABLE = {"family": "inet", "table": NAME}
PATIENCE = 30.0  # seconds


def ruleset(*elements: str) -> Commands:
    """A table with a set that holds these."""
    held = [{"add": {"element": {**TABLE, "name": "open", "elem": list(elements)}}}]
    return [
        *emptied(NAME),
        {"add": {"table": {"family": "inet", "name": NAME}}},
        {"add": {"set": {**TABLE, "name": "open", "type": "ipv4_addr"}}},
        {"add": {"chain": {**TABLE, "name": "passing", "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}}},
        *(held if elements else []),
    ]  # fmt: skip


OLD, NEW = ruleset("10.100.1.1"), ruleset("10.100.1.1", "10.100.2.2")


class Host:
    """A namespace with nft, and what is loaded there."""

    def __init__(self, folder: Path) -> None:
        self.namespace = Namespace()
        self.boot = BootRules(folder / "boot", units=None)
        self.nft = NftProgram(self.boot, self.namespace.prefix)

    def do(self, work: Awaitable[Value]) -> Value:
        async def wait() -> Value:
            return await work

        return asyncio.run(wait())

    def loaded(self) -> str:
        """The table as nft shows it to people; empty when there is none."""
        done = subprocess.run(
            [*self.namespace.prefix, "nft", "list", "table", "inet", NAME],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    def becomes(self, wanted: str, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self.loaded() != wanted and time.monotonic() < until:
            time.sleep(0.02)
        return self.loaded() == wanted


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    try:
        yield made
    finally:
        made.namespace.end()


@pytest.fixture
def old(host: Host) -> str:
    host.do(host.nft.load(OLD))
    return host.loaded()


def test_kept_in_time_they_stay(host: Host, old: str) -> None:
    async def work() -> None:
        trial = await host.nft.try_out(NAME, NEW, 3.0)
        await trial.keep()

    host.do(work())
    time.sleep(3.3)
    assert "10.100.2.2" in host.loaded()


def test_silence_brings_the_old_ones_back_and_keep_says_so(host: Host, old: str) -> None:
    async def work() -> None:
        trial = await host.nft.try_out(NAME, NEW, 0.5)
        assert "10.100.2.2" in host.loaded()
        assert host.becomes(old, PATIENCE)
        with pytest.raises(NftablesError) as refused:
            await trial.keep()
        assert "the time for them to prove good was over" in refused.value.diagnostics[0].detail
        await trial.undo()

    host.do(work())
    assert host.loaded() == old


def test_undone_on_demand(host: Host, old: str) -> None:
    async def work() -> None:
        trial = await host.nft.try_out(NAME, NEW, 30.0)
        await trial.undo()
        await trial.undo()

    host.do(work())
    assert host.loaded() == old


def test_what_was_not_there_is_gone_again(host: Host) -> None:
    async def work() -> None:
        await (await host.nft.try_out(NAME, NEW, 30.0)).undo()

    host.do(work())
    assert host.loaded() == ""


def test_rules_that_nft_refuses_change_nothing(host: Host, old: str) -> None:
    bad = [*NEW, {"add": {"element": {**TABLE, "name": "open", "elem": ["no address"]}}}]
    with pytest.raises(NftablesError):
        host.do(host.nft.try_out(NAME, bad, 30.0))
    assert host.loaded() == old
    assert guards(host) == []


def test_a_guard_that_is_forgotten_undoes(host: Host, old: str) -> None:
    async def work() -> None:
        await host.nft.try_out(NAME, NEW, 30.0)

    host.do(work())
    assert host.becomes(old, PATIENCE)


def test_a_cancelled_load_is_undone(host: Host, old: str) -> None:
    async def work() -> None:
        task = asyncio.create_task(host.nft.try_out(NAME, NEW, 30.0))
        while not guards(host):  # noqa: ASYNC110 - it is another process that comes
            await asyncio.sleep(0.001)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    host.do(work())
    assert host.becomes(old, PATIENCE)
    time.sleep(0.3)
    assert host.loaded() == old


def test_when_the_guard_is_killed_freehold_does_its_work(host: Host, old: str) -> None:
    async def work() -> None:
        trial = await host.nft.try_out(NAME, NEW, 30.0)
        [guard] = guards(host)
        os.kill(guard, signal.SIGKILL)
        with pytest.raises(NftablesError) as refused:
            await trial.keep()
        assert "was killed" in refused.value.diagnostics[0].detail

    host.do(work())
    assert host.loaded() == old


@pytest.mark.parametrize("by", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_the_guard_is_not_impressed_by_signals(host: Host, old: str, by: signal.Signals) -> None:
    async def work() -> None:
        trial = await host.nft.try_out(NAME, NEW, 30.0)
        [guard] = guards(host)
        os.kill(guard, by)
        await asyncio.sleep(0.1)
        await trial.keep()

    host.do(work())
    assert "10.100.2.2" in host.loaded()


def test_what_nft_does_not_read_again_is_replaced_by_what_was_kept_last(
    host: Host, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing that this nft cannot load: as an nft of another version may write a rule made by hand."""
    monkeypatch.setattr(
        "freehold.system.nftables.program.restoring", lambda *_: [{"add": {"no": {}}}]
    )
    with pytest.raises(NftablesError) as refused:
        host.do(host.nft.try_out(NAME, NEW, 30.0))
    assert "could not be brought back" in refused.value.diagnostics[0].detail
    assert host.loaded() == old

    host.boot.write(NAME, OLD)

    async def work() -> None:
        await (await host.nft.try_out(NAME, NEW, 30.0)).undo()

    host.do(work())
    assert host.loaded() == old


def test_a_guard_that_cannot_undo_says_why(host: Host) -> None:
    """nft is tried several times, since it may be busy."""

    async def work() -> str:
        guard = await undo.Guard.start(
            host.namespace.prefix, '{"nftables": [{"add": {"no": {}}}]}', 30.0
        )
        return await guard.undo()

    assert host.do(work()).startswith("failed ")


def test_a_guard_that_does_not_start_is_an_error(host: Host) -> None:
    with pytest.raises(NftablesError) as refused:
        host.do(undo.Guard.start(["false"], "{}", 1.0))
    assert "did not start" in refused.value.diagnostics[0].detail


def test_a_guard_whose_rules_were_cut_off_touches_nothing(host: Host, old: str) -> None:
    done = subprocess.run(
        [*host.namespace.prefix, sys.executable, "-I", str(undo._GUARD), "1"],
        input='{"nftables": [', capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert host.loaded() == old


HANDMADE = [
    "add rule inet freehold-cottage passing ip saddr @open counter packets 5 bytes 300 drop",
    "add rule inet freehold-cottage passing tcp dport { 22, 80-90 } ct state established,new accept",
    "add rule inet freehold-cottage passing limit rate 3/minute burst 7 packets log prefix \"by hand: \" level info",
    "add rule inet freehold-cottage passing meta mark set 0x00000007 comment \"mine\"",
    "add map inet freehold-cottage ways { type ifname : verdict ; elements = { \"eth9\" : drop } ; }",
]  # fmt: skip


def test_rules_made_by_hand_come_back_too(host: Host, old: str) -> None:
    host.namespace.run("nft", "-f", "-", given="\n".join(HANDMADE) + "\n")
    before = host.loaded()
    assert "by hand" in before

    async def work() -> None:
        await (await host.nft.try_out(NAME, NEW, 30.0)).undo()

    host.do(work())
    assert host.loaded() == before


def test_restoring_puts_first_what_others_name() -> None:
    listing = parsed(
        json.dumps(
            {
                "nftables": [
                    {"metainfo": {"version": "1.0.6"}},
                    {"table": {"family": "inet", "name": NAME, "handle": 7}},
                    {
                        "rule": {
                            **TABLE,
                            "chain": "a",
                            "handle": 9,
                            "expr": [{"jump": {"target": "b"}}],
                        }
                    },
                    {"chain": {**TABLE, "name": "a", "handle": 1}},
                    {"set": {**TABLE, "name": "open", "type": "ipv4_addr", "handle": 2}},
                ]
            }
        )
    )
    commands = restoring(NAME, listing)
    assert [next(iter(each["add"])) for each in commands[2:]] == ["table", "chain", "set", "rule"]
    assert "handle" not in json.dumps(commands)
    assert restoring(NAME, None) == emptied(NAME)


@pytest.mark.parametrize("text", ["", "Error", "[]", '{"other": 1}'])
def test_an_nft_without_json_is_told(text: str) -> None:
    with pytest.raises(NftablesError) as refused:
        parsed(text)
    assert "does not speak JSON" in refused.value.diagnostics[0].detail


def guards(host: Host) -> list[int]:
    """The guards in this namespace, by number."""
    network = Path(f"/proc/{host.namespace.pid}/ns/net").readlink()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_guard = b"guard.py" in (process / "cmdline").read_bytes()
            if is_guard and (process / "ns/net").readlink() == network:
                found.append(int(process.name))
    return found
