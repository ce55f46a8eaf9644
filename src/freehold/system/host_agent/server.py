"""The agent: meets control machines of one estate, by the same code with which Freehold works on the host itself.

Made by `operations.host_agent`, which also says what may be asked for; run by `running.py`. What is answered to what is in
`answers.py`.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.system.host_agent.answers import Answers, NotAllowed, Request
from freehold.system.host_agent.messages import line, parsed, problem
from freehold.system.nftables import Trial

_LATE = 5.0  # seconds after which a trial that nobody ends is ended here; its guard has undone it long before
_FIRST_LINE = 30.0  # seconds for a caller to say what it wants
_MISTAKES = (NotAllowed, ValueError, KeyError, TypeError, AttributeError)


class Agent:
    """One estate's, behind a socket."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._one_change = asyncio.Lock()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One caller, from its question to its end. Nothing that it says ends the agent."""
        try:
            request = parsed(await asyncio.wait_for(reader.readline(), _FIRST_LINE))
            if request.get("do") == "try_out":
                async with self._one_change:
                    await self._try_out(request, reader, writer)
            else:
                await _say(writer, await self._answer(request))
        except (OSError, ValueError):  # it went away, or is none of ours
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, request: Request) -> dict[str, Any]:
        verb = str(request.get("do"))
        try:
            if reads := self._answers.reading.get(verb):
                return {"answer": await reads(request)}
            changes = self._answers.changing.get(verb)
            if changes is None:
                raise NotAllowed(f"`{verb}` is nothing that this agent does")
            async with self._one_change:
                answer = await changes(request)
        except BackendError as error:
            return problem(error)
        except _MISTAKES as error:
            return self._refusal(verb, error)
        note(f"{verb}: done")
        return {"answer": answer}

    async def _try_out(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """The next line says whether the rules stay, and the end of the lines that they do not."""
        try:
            trial, seconds = await self._answers.try_out(request)
        except BackendError as error:
            await _say(writer, problem(error))
            return
        except _MISTAKES as error:
            await _say(writer, self._refusal("try_out", error))
            return
        word = ""
        try:
            await _say(writer, {"answer": "trying"})
            received = await asyncio.wait_for(reader.readline(), seconds + _LATE)
            word = str(parsed(received).get("do"))
        except (OSError, ValueError):  # it went away
            pass
        finally:  # also when this agent is told to end
            answer = await _ended(trial, word)
        await _say(writer, answer)

    def _refusal(self, verb: str, error: Exception) -> dict[str, Any]:
        note(f"{verb}: refused: {error}")
        return problem(BackendError(_refused(self._answers.estate, str(error))))


async def _ended(trial: Trial, word: str) -> dict[str, Any]:
    """Kept when that is the word, undone for any other."""
    try:
        await (trial.keep() if word == "keep" else trial.undo())
    except BackendError as error:
        note(f"try_out: {error}")
        return problem(error)
    note(f"try_out: {'kept' if word == 'keep' else 'undone'}")
    return {"answer": word}


def note(text: str) -> None:
    """Standard error is the journal's."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


async def _say(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    writer.write(line(message))
    await writer.drain()


def _refused(estate: str, reason: str) -> Diagnostic:
    return Diagnostic(
        code="host-refused",
        summary="The computer does not do that for a control machine",
        detail=f"Its agent writes only what Freehold itself writes for the estate {estate}: {reason}.",
        hint="When the computer and this machine have different versions of Freehold, bring the computer's up to date there:\n"
        "    freehold apply",
    )
