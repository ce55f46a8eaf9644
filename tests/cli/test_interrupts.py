"""Ctrl-C where somebody is asked something: at once, also when it comes a moment before the question."""

import os
import signal

import pytest

from freehold.cli import interrupts
from freehold.diagnostics import FreeholdError


def test_an_interrupt_just_before_the_question_is_not_lost() -> None:
    waited: list[str] = []

    async def asking() -> None:
        os.kill(
            os.getpid(), signal.SIGINT
        )  # asyncio hears it, and would end the task at its next turn
        with interrupts.at_once():
            waited.append("for an answer, for ever")

    with pytest.raises(FreeholdError) as raised:
        interrupts.run(asking())
    assert raised.value.diagnostics[0].code == "stopped"
    assert waited == []


def test_an_interrupt_at_the_question_ends_it() -> None:
    waited: list[str] = []

    async def asking() -> None:
        with interrupts.at_once():
            os.kill(os.getpid(), signal.SIGINT)
            waited.append("on")

    with pytest.raises(FreeholdError) as raised:
        interrupts.run(asking())
    assert raised.value.diagnostics[0].code == "stopped"
    assert waited == []
