"""How it is told that a timer cannot be read, started or ended. Used by the modules that run it."""

from collections.abc import Iterator
from contextlib import contextmanager

from freehold.diagnostics import BackendError, Diagnostic

_NOT_ALLOWED = ("Permission denied", "Operation not permitted")


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raise BackendError about the timer in the place of OSError and of what a program said."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise BackendError(failed(doing, where + (error.strerror or str(error)))) from error
    except BackendError as error:
        raise BackendError(failed(doing, error.diagnostics[0].detail)) from error


def only_there() -> Diagnostic:
    """What to tell inside a control machine."""
    return Diagnostic(
        code="only-on-the-host",
        summary="The timer of scheduled snapshots is changed only on the computer itself",
        detail="This is a control machine; the timer is on the computer that it runs on.",
        hint="There, in the estate's folder:\n    freehold apply",
    )


def failed(doing: str, reason: str) -> Diagnostic:
    """What to tell."""
    may_not = any(words in reason for words in _NOT_ALLOWED)
    return Diagnostic(
        code="timer-failed",
        summary="The timer of scheduled snapshots cannot be read or changed",
        detail=f"{doing}: {reason.rstrip('.')}.",
        hint="Run the same command with sudo."
        if may_not
        else "See what is wrong:\n    freehold doctor",
    )
