"""What is asked in the same words at the command line and in a playbook: for how long, and with which commands before and after."""

import re
from datetime import UTC, datetime, timedelta

from freehold.diagnostics import Diagnostic, UsageError
from freehold.model import Infra
from freehold.providers.incus.snapshots.quiet import Hooks

_TIME = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def moment_after(time: str) -> datetime:
    """When `12h`, `7d` or `4w` are over. Raises UsageError for what is no such time."""
    found = _TIME.fullmatch(time)
    if found is None:
        raise UsageError(
            Diagnostic(
                code="bad-time",
                summary="That is not a time after which a snapshot expires",
                detail=f"`{time}`: a number and h (hours), d (days) or w (weeks).",
                hint="For a week:\n    freehold snapshot create --expires 7d",
            )
        )
    return datetime.now(UTC) + int(found[1]) * _UNITS[found[2]]


def hooks_of(infra: Infra, pre: str | None = None, post: str | None = None) -> dict[str, Hooks]:
    """The commands of each machine, by its key: those that are given, else infra.yml's."""
    return {
        machine.key: Hooks(
            (machine.snapshots.pre or "") if pre is None else pre,
            (machine.snapshots.post or "") if post is None else post,
        )
        for machine in infra.machines()
    }
