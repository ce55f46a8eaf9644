"""What is asked at the same time is done at once; what is asked meanwhile, by the next turn."""

import asyncio
from collections.abc import Sequence

import pytest

from freehold.providers.compose.together import Together


class Oven:
    """Work that notes what it was given at once; it ends when `done` is set."""

    def __init__(self) -> None:
        self.turns: list[list[str]] = []
        self.done = asyncio.Event()
        self.fails: Exception | None = None

    async def bake(self, asked: Sequence[str]) -> Sequence[str]:
        self.turns.append(list(asked))
        await self.done.wait()
        if self.fails:
            raise self.fails
        return [each.upper() for each in asked]


async def _settled() -> None:
    """Everybody has come as far as they come."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_who_asks_at_once_has_one_turn_and_who_comes_later_the_next() -> None:
    async def work() -> None:
        oven = Oven()
        together = Together(oven.bake)
        first = [asyncio.create_task(together.ask(each)) for each in "ab"]
        await _settled()
        later = [asyncio.create_task(together.ask(each)) for each in "cd"]
        await _settled()
        assert oven.turns == [["a", "b"]]
        oven.done.set()
        assert await asyncio.gather(*first, *later) == ["A", "B", "C", "D"]
        assert oven.turns == [["a", "b"], ["c", "d"]]

    asyncio.run(work())


def test_what_fails_fails_for_all_of_its_turn_and_not_for_the_next() -> None:
    async def work() -> None:
        oven = Oven()
        together = Together(oven.bake)
        oven.fails = OSError("cold")
        oven.done.set()
        failed = await asyncio.gather(together.ask("a"), together.ask("b"), return_exceptions=True)
        assert [str(each) for each in failed] == ["cold", "cold"]
        oven.fails = None
        assert await together.ask("c") == "C"

    asyncio.run(work())


@pytest.mark.parametrize("who", [0, 1])
def test_who_is_cancelled_is_not_served_with_the_others(who: int) -> None:
    async def work() -> None:
        oven = Oven()
        together = Together(oven.bake)
        busy = asyncio.create_task(together.ask("busy"))
        await _settled()
        waiting = [asyncio.create_task(together.ask(each)) for each in "ab"]
        await _settled()
        waiting[who].cancel()
        await _settled()
        oven.done.set()
        assert await busy == "BUSY"
        assert await waiting[1 - who] == "ab"[1 - who].upper()
        assert oven.turns[1:] == [["ab"[1 - who]]]

    asyncio.run(work())
