"""The same tests on real nft, in a network namespace of the test's own, and on the one in memory."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.nftables import Commands, Nftables, NftablesError
from freehold.system.nftables.boot import BootRules
from freehold.system.nftables.fake import FakeNftables
from freehold.system.nftables.listing import emptied
from freehold.system.nftables.program import NftProgram
from tests.firewall.wires import Namespace

NAME = "freehold-cottage"
TABLE = {"family": "inet", "table": NAME}


def ruleset(*elements: str) -> Commands:
    held = [{"add": {"element": {**TABLE, "name": "open", "elem": list(elements)}}}]
    return [
        *emptied(NAME),
        {"add": {"table": {"family": "inet", "name": NAME}}},
        {"add": {"set": {**TABLE, "name": "open", "type": "ipv4_addr"}}},
        {"add": {"chain": {**TABLE, "name": "passing"}}},
        {"add": {"rule": {**TABLE, "chain": "passing", "expr": [{"drop": None}]}}},
        *(held if elements else []),
    ]


OLD, NEW = ruleset("10.100.1.1"), ruleset("10.100.1.1", "10.100.2.2")
REFUSED: Commands = [
    *NEW,
    {"add": {"element": {**TABLE, "name": "nowhere", "elem": ["10.100.3.3"]}}},
]


@pytest.fixture(params=["fake", "real"])
def nftables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nftables]:
    if request.param == "fake":
        yield FakeNftables()
        return
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root: run `make test`")
    namespace = Namespace()
    try:
        yield NftProgram(BootRules(tmp_path / "boot", units=None), namespace.prefix)
    finally:
        namespace.end()


async def held(nftables: Nftables) -> list[str] | None:
    """What the set holds; None when there is no table."""
    listing = await nftables.table(NAME)
    if listing is None:
        return None
    [found] = [entry["set"] for entry in listing if "set" in entry]
    return sorted(found.get("elem", []))


def test_a_table_is_there_when_it_was_loaded(nftables: Nftables) -> None:
    async def work() -> None:
        assert await nftables.table(NAME) is None
        await nftables.load(OLD)
        assert await held(nftables) == ["10.100.1.1"]
        assert await nftables.table("freehold-mill") is None
        await nftables.load(NEW)
        assert await held(nftables) == ["10.100.1.1", "10.100.2.2"]
        await nftables.load(emptied(NAME))
        assert await nftables.table(NAME) is None

    asyncio.run(work())


def test_a_transaction_is_done_whole_or_not_at_all(nftables: Nftables) -> None:
    async def work() -> None:
        await nftables.load(OLD)
        with pytest.raises(NftablesError):
            await nftables.load(REFUSED)
        assert await held(nftables) == ["10.100.1.1"]
        with pytest.raises(NftablesError):
            await nftables.try_out(NAME, REFUSED, 30.0)
        assert await held(nftables) == ["10.100.1.1"]

    asyncio.run(work())


def test_a_trial_is_kept_or_undone(nftables: Nftables) -> None:
    async def work() -> None:
        trial = await nftables.try_out(NAME, OLD, 30.0)
        await trial.undo()
        assert await held(nftables) is None
        await (await nftables.try_out(NAME, OLD, 30.0)).keep()
        trial = await nftables.try_out(NAME, NEW, 30.0)
        assert await held(nftables) == ["10.100.1.1", "10.100.2.2"]
        await trial.undo()
        await trial.undo()
        assert await held(nftables) == ["10.100.1.1"]

    asyncio.run(work())


def test_what_would_be_listed_is_told_without_loading_it(nftables: Nftables) -> None:
    async def work() -> None:
        told = await nftables.written(NAME, OLD)
        assert await nftables.table(NAME) is None
        await nftables.load(OLD)
        assert _plain(told) == _plain(await nftables.table(NAME) or ())

    asyncio.run(work())


def _plain(listing: object) -> object:
    if isinstance(listing, dict):
        return {key: _plain(value) for key, value in listing.items() if key != "handle"}
    return [_plain(each) for each in listing] if isinstance(listing, list) else listing


def test_what_is_loaded_at_a_start_is_kept_apart(nftables: Nftables) -> None:
    async def work() -> None:
        await nftables.set_at_boot(NAME, OLD)
        assert await nftables.at_boot(NAME) == OLD
        assert await nftables.table(NAME) is None
        await nftables.set_at_boot(NAME, None)
        assert await nftables.at_boot(NAME) is None

    asyncio.run(work())
