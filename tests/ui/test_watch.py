"""How facts are kept fresh: one look at a time, none without a reader, and the last good facts when one fails."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from freehold.diagnostics import BackendError, Diagnostic
from freehold.operations.overview.facts import Overview
from freehold.operations.overview.watch import Watch
from tests.ui.estates import TROUBLED, WELL

_PROBLEM = Diagnostic(code="incus-unavailable", summary="Incus cannot be reached")


@dataclass
class Looks:
    """Looks that end when they are told to; a clock that stands still until it is moved."""

    now: float = 100.0
    begun: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Overview | Exception = WELL

    async def __call__(self) -> Overview:
        self.begun += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def clock(self) -> float:
        return self.now


def watched(what: Callable[[Watch, Looks], Awaitable[None]], longest: float = 60) -> Looks:
    looks = Looks()

    async def run() -> None:
        watch = Watch(looks, 20, looks.clock, longest)
        try:
            await what(watch, looks)
        finally:
            await watch.close()

    asyncio.run(run())
    return looks


def test_readers_share_one_look_and_none_waits_longer_than_his_patience() -> None:
    async def what(watch: Watch, looks: Looks) -> None:
        first, second = await asyncio.gather(watch.seen(0.01), watch.seen(0.01))
        assert first == second
        assert (first.overview, first.looking, first.number) == (None, True, 0)
        looks.gate.set()
        seen = await watch.seen(60)
        assert (seen.overview, seen.looking, seen.number, seen.age) == (WELL, False, 1, 0)

    assert watched(what).begun == 1


def test_fresh_facts_are_not_looked_at_again() -> None:
    async def what(watch: Watch, looks: Looks) -> None:
        looks.gate.set()
        await watch.seen(60)
        looks.now += 19
        seen = await watch.seen(60)
        assert (looks.begun, seen.age) == (1, 19)
        looks.now += 1
        looks.answer = TROUBLED
        assert (await watch.seen(60)).overview is TROUBLED
        assert looks.begun == 2

    watched(what)


def test_a_look_that_fails_leaves_what_was_known_and_says_why() -> None:
    async def what(watch: Watch, looks: Looks) -> None:
        looks.gate.set()
        await watch.seen(60)
        looks.now += 30
        looks.answer = BackendError(_PROBLEM)
        failed = await watch.seen(60)
        assert (failed.overview, list(failed.problems), failed.age) == (WELL, [_PROBLEM], 30)
        looks.now += 30
        looks.answer = WELL
        assert list((await watch.seen(60)).problems) == []

    watched(what)


def test_a_look_that_fails_is_not_repeated_at_once() -> None:
    async def what(watch: Watch, looks: Looks) -> None:
        looks.gate.set()
        looks.answer = BackendError(_PROBLEM)
        assert (await watch.seen(60)).overview is None
        looks.now += 1
        assert list((await watch.seen(60)).problems) == [_PROBLEM]
        assert looks.begun == 1

    watched(what)


def test_a_look_that_does_not_end_is_given_up_and_says_so() -> None:
    async def what(watch: Watch, looks: Looks) -> None:
        seen = await watch.seen(60)
        (problem,) = seen.problems
        assert (problem.code, seen.looking, seen.overview) == ("look-unfinished", False, None)
        assert "0.05 seconds" in problem.detail
        assert "freehold doctor" in (problem.hint or "")
        looks.now += 20
        looks.gate.set()
        assert list((await watch.seen(60)).problems) == []

    assert watched(what, longest=0.05).begun == 2


@pytest.mark.parametrize("ends", [True, False])
def test_a_look_under_way_ends_with_the_watch(ends: bool) -> None:
    async def what(watch: Watch, looks: Looks) -> None:
        await watch.seen(0.01)
        if ends:
            looks.gate.set()

    looks = watched(what)  # a task that nobody awaited would be an error here
    assert looks.begun == 1
