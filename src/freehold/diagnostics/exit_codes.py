"""Exit codes of every verb; docs/reference/exit-codes.md tells their reasons."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script may rely on. 2 is "differences", so usage errors moved to 64 (EX_USAGE of sysexits.h)."""

    DONE = 0
    FAILED = 1
    DIFFERENCES = 2
    INVALID_CONFIGURATION = 3
    PARTLY_APPLIED = 4
    USAGE = 64
