"""One command in a machine, its output recorded by incusd: five requests, nothing kept, nothing lost.

For machines without Python, and where the warm way is switched off. `record-output` because the websockets of a
command that ends at once lose output with exit code 0 (docs/explanation/connection.md).
"""

from collections.abc import Sequence
from typing import Any

from freehold.system.warm.daemon import ask, exchange, refusal
from freehold.system.warm.failures import LOST, Broken, NothingDone, WayFailed, unknown_outcome
from freehold.system.warm.files import delete, push_bytes
from freehold.system.warm.machine import Finished, Machine, patiently
from freehold.system.warm.marked import Marked

_FAILED = (
    400  # an operation's status codes from here on: failure, cancelled (doc/rest-api.md of Incus)
)
# How Incus calls the exit codes 127 and 126, by which commands may end of themselves.
_ENDED_SO = ("Command not found", "Command not executable")


def run(machine: Machine, command: Sequence[str], given: bytes) -> Finished:
    """Run a command as root, `given` as its standard input; waits for what passes by itself.

    Raises WayFailed when it did not run, OutcomeUnknown when nobody knows.
    """
    return patiently(machine, lambda: _run(machine, command, given))


def _run(machine: Machine, command: Sequence[str], given: bytes) -> Finished:
    marked = Marked(machine)
    try:
        if given:
            push_bytes(machine, given, marked.input)
        done = _exec(machine, marked, marked.words(command, given=bool(given)))
    except WayFailed:
        if given:
            delete(machine, marked.input)
        raise
    if marked.has_lost_its_input(done):
        raise NothingDone(f"{machine} has lost the input of a command; its system is starting.")
    return done


def _exec(machine: Machine, marked: Marked, words: list[str]) -> Finished:
    body = {"command": words, "record-output": True, "wait-for-websocket": False}
    try:
        started = ask(machine, "POST", f"/1.0/instances/{machine.name}/exec", body)
    except Broken as error:
        raise unknown_outcome(str(machine), str(error)) from error
    try:  # from here on nothing may be repeated, whatever else is refused
        ended = _end(machine, started["id"])
        if ended["status_code"] < _FAILED or ended["err"] in _ENDED_SO:
            result = ended["metadata"]
            output, errors = (_take(machine, result["output"][number]) for number in "12")
            return Finished(result["return"], marked.heard(output).output, errors)
        lost = LOST in ended["err"]
        if lost and (done := marked.heard_out(started["id"])) is not None:
            return done
    except WayFailed as error:
        raise unknown_outcome(str(machine), str(error)) from error
    raise refusal(machine, str(ended["err"]))


def _end(machine: Machine, operation: str) -> dict[str, Any]:
    """The operation once it is over. One that failed is not told by waiting for it, only by asking again."""
    ended: dict[str, Any]
    try:
        ended = ask(machine, "GET", f"/1.0/operations/{operation}/wait")
    except Broken:
        raise
    except WayFailed:
        ended = ask(machine, "GET", f"/1.0/operations/{operation}")
    return ended


def _take(machine: Machine, target: str) -> bytes:
    """One recorded stream, deleted once read: it may hold what nobody else should see."""
    with exchange(machine, "GET", target) as answer:
        content = answer.read()
    if answer.status != 200:
        raise Broken("Incus has lost the recorded output.")
    ask(machine, "DELETE", target)
    return content
