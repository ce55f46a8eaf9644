"""Problems as values, and the exceptions and exit codes that carry them. Imports nothing of Freehold."""

from freehold.diagnostics.diagnostic import Diagnostic, Severity, Source, has_errors
from freehold.diagnostics.errors import (
    BackendError,
    BackendInterrupted,
    ConfigError,
    FreeholdError,
    LockHeld,
    StalePlan,
    UsageError,
)
from freehold.diagnostics.exit_codes import ExitCode
from freehold.diagnostics.suggest import did_you_mean, nearest

__all__ = [
    "BackendError",
    "BackendInterrupted",
    "ConfigError",
    "Diagnostic",
    "ExitCode",
    "FreeholdError",
    "LockHeld",
    "Severity",
    "Source",
    "StalePlan",
    "UsageError",
    "did_you_mean",
    "has_errors",
    "nearest",
]
