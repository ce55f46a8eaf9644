"""What is fixed about a diagnostic code. Part of `freehold.config.codes`."""

from dataclasses import dataclass

from freehold.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """`summary` is what every message of this code begins with, `remedy` its hint when there is no better one."""

    summary: str
    meaning: str
    remedy: str
    severity: Severity = Severity.ERROR
