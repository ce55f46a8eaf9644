"""How an agent and who asks it talk: a line of JSON each way, over a unix socket. Used by `server.py` and `client.py`.

A request has `do` and what belongs to it. An answer has `answer`, or `problem` with a Diagnostic.
"""

import json
from collections.abc import Mapping
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic

LARGEST = 2**24  # bytes of a line; the rules of a thousand domains are 2 % of it
PARTS = ("code", "summary", "detail", "hint")
"""What of a Diagnostic is told."""


class HostUnseen(BackendError):
    """What belongs to the host cannot be seen from inside this machine. What does not stand on it can go on."""


class HostRefused(BackendError):
    """The agent answered that it could not, or would not."""


class CutOff(ValueError):
    """The connection ended before a message did."""


def line(message: Mapping[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def parsed(received: bytes) -> dict[str, Any]:
    """A message as it arrived. Raises ValueError when it was cut off, or is none."""
    if not received.endswith(b"\n"):
        raise CutOff("the connection ended in the middle")
    message = json.loads(received)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


def problem(error: BackendError) -> dict[str, Any]:
    """What went wrong, to be told."""
    told = error.diagnostics[0]
    return {"problem": {part: getattr(told, part) for part in PARTS}}


def answer_in(message: Mapping[str, Any]) -> Any:
    """The answer. Raises HostRefused with the problem that was told, ValueError when it is neither."""
    told = message.get("problem")
    if isinstance(told, dict):
        texts = {part: str(told.get(part) or "") for part in PARTS}
        raise HostRefused(Diagnostic(**{**texts, "hint": texts["hint"] or None}))  # type: ignore[arg-type]
    if "answer" not in message:
        raise ValueError("no answer")
    return message["answer"]
