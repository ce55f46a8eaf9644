"""What is asked while the same is under way is done together by the next turn. Used by `docker`.

A command on a target costs about as much for eight services as for one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """`work` answers several at once, in their order. One turn after the other; `pause` are seconds that a turn waits for more."""

    def __init__(
        self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], pause: float = 0.0
    ) -> None:
        self._work = work
        self._pause = pause
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []

    async def ask(self, asked: Asked) -> Answer:
        """The answer to this one; what `work` raises is raised for all of a turn."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        try:
            async with self._turn:
                if not answer.done():
                    await asyncio.sleep(self._pause)
                    await self._take_turn()
            return await answer
        finally:
            answer.cancel()  # nobody waits for it any more; nothing where it is done

    async def _take_turn(self) -> None:
        turn = [(asked, answer) for asked, answer in self._waiting if not answer.done()]
        self._waiting.clear()
        try:
            said = await self._work([asked for asked, _ in turn])
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked raises it
            for _, answer in turn:
                if not answer.done():
                    answer.set_exception(error)
            return
        except BaseException:
            for _, answer in turn:
                answer.cancel()
            raise
        for (_, answer), each in zip(turn, said, strict=True):
            if not answer.done():
                answer.set_result(each)
