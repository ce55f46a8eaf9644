"""Keeps the facts of `ui` fresh: one look at a time, and none while nobody reads. Called by `cli.ui`.

A look that fails leaves the last good facts, with their age, beside what went wrong.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from freehold.diagnostics import Diagnostic, FreeholdError
from freehold.operations.overview.facts import Overview

PATIENCE = 3.0  # seconds that a reader waits for fresher facts
LONGEST = 120.0  # seconds for one look; 500 machines take a few
_OLD = 60.0  # seconds from which facts are old, however often one looks


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known. `number` counts the looks that have ended; `age` is in seconds, of `overview`.

    `problems`: why the last look failed; empty when it did not.
    """

    number: int = 0
    overview: Overview | None = None
    problems: Sequence[Diagnostic] = ()
    age: float = 0.0
    looking: bool = False


class Watch:
    """Of one estate; `every` is how old facts may be, in seconds, until a reader sets off another look, and `longest` what one may take."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Overview]],
        every: float,
        clock: Callable[[], float] = time.monotonic,
        longest: float = LONGEST,
    ) -> None:
        self._look = look
        self._every = every
        self._clock = clock
        self._longest = longest
        self._number = 0
        self._overview: Overview | None = None
        self._problems: Sequence[Diagnostic] = ()
        self._seen_at = self._ended_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    async def seen(self, patience: float = PATIENCE) -> Seen:
        """The facts, after at most `patience` seconds. Raises what a look raised that was no FreeholdError."""
        if self._task is None and self._clock() - self._ended_at >= self._every:
            self._task = asyncio.create_task(self._once())
        task = self._task
        if task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(task), patience)
        return Seen(
            number=self._number,
            overview=self._overview,
            problems=self._problems,
            age=self._clock() - self._seen_at if self._overview else 0.0,
            looking=self._task is not None,
        )

    @property
    def good_for(self) -> float:
        """Seconds from which facts are so old that nobody should rely on them: two looks may go wrong."""
        return max(3 * self._every, _OLD)

    async def close(self) -> None:
        """End the look that is under way."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, FreeholdError):
                await self._task

    async def _once(self) -> None:
        try:
            async with asyncio.timeout(self._longest):
                self._overview = await self._look()
            self._problems, self._seen_at = (), self._clock()
        except TimeoutError:
            self._problems = (_unfinished(self._longest),)
        except FreeholdError as error:
            self._problems = tuple(error.diagnostics)
        finally:
            self._number += 1
            self._ended_at = self._clock()
            self._task = None


def _unfinished(seconds: float) -> Diagnostic:
    return Diagnostic(
        code="look-unfinished",
        summary="A look at the estate did not end",
        detail=f"Something that was asked has not answered within {seconds:g} seconds.",
        hint="See what does not answer:\n    freehold doctor",
    )
