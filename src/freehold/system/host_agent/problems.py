"""How it is told that the agent cannot be read, started or ended. Used by the modules that run it."""

from collections.abc import Iterator
from contextlib import contextmanager

from freehold.diagnostics import BackendError, Diagnostic

_NOT_ALLOWED = ("Permission denied", "Operation not permitted")


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raise BackendError in the place of OSError."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise BackendError(failed(doing, where + (error.strerror or str(error)))) from error


def failed(doing: str, reason: str) -> Diagnostic:
    """What to tell."""
    may_not = any(words in reason for words in _NOT_ALLOWED)
    return Diagnostic(
        code="agent-failed",
        summary="The agent for control machines cannot be read or changed",
        detail=f"{doing}: {reason}.",
        hint="Run the same command with sudo."
        if may_not
        else "See what is wrong:\n    freehold doctor",
    )
