"""A terminal that can be asked whether it is there, as those of people can; it may stop answering."""

import os

from tests.e2e.estate import Estate
from tests.e2e.terminal import Terminal

QUESTION, ANSWER = "\x1b[5n", b"\x1b[0n"  # ECMA-48, 8.3.35


class LiveTerminal(Terminal):
    """Runs Freehold. Answers the first `answers` questions and none after; what is typed comes with each answer."""

    def __init__(self, estate: Estate, *words: str, answers: int, typed: bytes = b"") -> None:
        argv = ["env", "TERM=xterm", *estate.argv(*words)]
        super().__init__(argv, estate.folder, estate.environment())
        self.answers = answers
        self._typed = typed
        self._answered = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def asked(self) -> int:
        return self.seen.count(QUESTION)

    def expect_questions(self, number: int) -> None:
        """Return once it was asked that often."""
        self.expect_all([QUESTION] * number)

    def expect_all(self, texts: list[str]) -> None:
        while any(self.seen.count(text) < texts.count(text) for text in texts):
            assert self._read(), self.seen

    def _read(self) -> bool:
        is_open = super()._read()
        while self._answered < min(self.asked, self.answers):
            os.write(self._end, self._typed + ANSWER)
            self._answered += 1
        return is_open
