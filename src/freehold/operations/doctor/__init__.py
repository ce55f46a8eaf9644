"""Whether this computer can carry an estate: named checks, each with what was found and what to do about it."""

from freehold.operations.doctor.examine import CHECKS, checks_for, examine
from freehold.operations.doctor.finding import Check, CheckResult, Finding, Result
from freehold.operations.doctor.subject import NotMeasured, Subject

__all__ = [
    "CHECKS",
    "Check",
    "CheckResult",
    "Finding",
    "NotMeasured",
    "Result",
    "Subject",
    "checks_for",
    "examine",
]
