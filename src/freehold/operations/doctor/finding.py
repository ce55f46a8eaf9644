"""What a check is and what it answers. Used by every module of the doctor and by `views.doctor`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from freehold.operations.doctor.subject import Subject


class Result(StrEnum):
    """How a check ended. Only an error makes `freehold doctor` fail."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, in a sentence, and what to do about it when something should be done."""

    result: Result
    detail: str
    remedy: str | None = None


def ok(detail: str) -> Finding:
    """All is well."""
    return Finding(Result.OK, detail)


def warning(detail: str, remedy: str | None = None) -> Finding:
    """It works, but slowly, or not for long, or not for everything."""
    return Finding(Result.WARNING, detail, remedy)


def error(detail: str, remedy: str | None = None) -> Finding:
    """The estate cannot be brought up like this."""
    return Finding(Result.ERROR, detail, remedy)


def not_measured(detail: str, remedy: str | None = None) -> Finding:
    """Nothing can be said."""
    return Finding(Result.NOT_MEASURED, detail, remedy)


@dataclass(frozen=True, slots=True)
class Check:
    """A named question. `look` only reads; it may raise NotMeasured or BackendError, which say why it could not.

    `outside`: whether it has a meaning for this computer's own Incus, not for the lab alone.
    """

    name: str
    look: Callable[[Subject], Finding]
    outside: bool = True


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check's name and its finding: one row of the answer."""

    name: str
    finding: Finding
