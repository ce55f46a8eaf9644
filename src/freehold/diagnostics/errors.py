"""The exceptions that stop a verb. Each carries Diagnostics and knows its exit code; only `cli` catches them all.

FreeholdError
├── ConfigError      infra.yml is wrong (exit 3)
├── UsageError       the command line is wrong (exit 64)
├── LockHeld         another run is at work
├── StalePlan        the world moved since the plan was made
└── BackendError     a system refused or failed
    └── BackendInterrupted   it went away for a moment: worth another try
"""

from collections.abc import Sequence

from freehold.diagnostics.diagnostic import Diagnostic
from freehold.diagnostics.exit_codes import ExitCode


class FreeholdError(Exception):
    """A verb cannot go on; `diagnostics` say why."""

    exit_code = ExitCode.FAILED

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(f"{d.summary}: {d.detail}" for d in diagnostics))
        self.diagnostics: Sequence[Diagnostic] = diagnostics


class ConfigError(FreeholdError):
    """infra.yml (or a file beside it) does not describe a possible estate."""

    exit_code = ExitCode.INVALID_CONFIGURATION


class UsageError(FreeholdError):
    """The command line asks for something that does not exist or contradicts itself."""

    exit_code = ExitCode.USAGE


class LockHeld(FreeholdError):
    """Another run holds the lock of this estate."""


class StalePlan(FreeholdError):
    """The real systems are no longer as the plan saw them."""


class BackendError(FreeholdError):
    """A real system (Incus, the kernel, a tool) refused or failed."""


class BackendInterrupted(BackendError):
    """A real system went away in the middle; what it was doing may or may not have happened."""
