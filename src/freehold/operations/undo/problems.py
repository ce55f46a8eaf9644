"""What `undo` says when it cannot go back, or not all the way. Called by the other modules here."""

from collections.abc import Iterable, Sequence

from freehold.diagnostics import (
    Diagnostic,
    FreeholdError,
    Severity,
    StalePlan,
    UsageError,
    did_you_mean,
)
from freehold.engine.journal import PastRun

_LOOK = "Look at the runs there are:\n    freehold log"
_BEFOREHAND = "Before the next change, take snapshots with it:\n    freehold apply --snapshot"


def no_runs() -> UsageError:
    """A folder where nothing was done yet."""
    return UsageError(
        Diagnostic(
            code="no-runs",
            summary="There is nothing to take back",
            detail="No run was made in this folder yet.",
            hint="Go to the estate's folder, or name it with -C.",
        )
    )


def nothing_to_undo() -> UsageError:
    """Runs there are, but none that changed anything and still stands."""
    return UsageError(
        Diagnostic(
            code="no-runs",
            summary="There is nothing to take back",
            detail="No run here changed anything that is not taken back already.",
            hint=_LOOK,
        )
    )


def unknown_run(name: str, known: Sequence[str]) -> UsageError:
    """With what may have been meant."""
    return UsageError(
        Diagnostic(
            code="unknown-run",
            summary="There is no run of this name",
            detail=name,
            hint=did_you_mean(name, known) or _LOOK,
        )
    )


def not_a_change(run: PastRun) -> UsageError:
    """A run of another verb, or one that ended before it began with anything."""
    why = "changed nothing" if not run.changed_something else f"is one of `{run.verb}`"
    return UsageError(
        Diagnostic(
            code="cannot-undo",
            summary="This run cannot be taken back",
            detail=f"{run.name} {why}; `undo` takes back runs of `apply`, `destroy` and `undo`.",
            hint=_LOOK,
        )
    )


def deleted_for_good(run: PastRun) -> UsageError:
    """Orphans are in no infra.yml that could come back."""
    return UsageError(
        Diagnostic(
            code="cannot-undo",
            summary="This run cannot be taken back",
            detail=f"{run.name} deleted orphans: neither infra.yml nor a snapshot has them any more.",
            hint="Name the run before it, if that is to be taken back:\n    freehold log",
        )
    )


def no_plan(run: PastRun, asked: PastRun | None = None) -> FreeholdError:
    """What a run made of the estate is not written down."""
    of = f", the last one before {asked.name}," if asked else ""
    return FreeholdError(
        Diagnostic(
            code="unknown-past",
            summary="It is not known what there was to go back to",
            detail=f"The plan of {run.name}{of} is not kept: it is too long ago, or an earlier version made that run. "
            "Nothing was changed.",
            hint="Change infra.yml by hand, and look what that means:\n    freehold plan",
        )
    )


def nothing_before(run: PastRun, destroyed: PastRun | None = None) -> FreeholdError:
    """Before the first run there was nothing of the estate."""
    why = f"{destroyed.name} had destroyed it" if destroyed else "no run before it ended well"
    return FreeholdError(
        Diagnostic(
            code="nothing-before",
            summary="There is nothing to go back to",
            detail=f"Before {run.name} there was no finished estate: {why}. Nothing was changed.",
            hint="If all of the estate is to go, data included:\n    freehold destroy",
        )
    )


def data_stays(run: PastRun) -> Diagnostic:
    """The configuration goes back without what machines hold."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="data-stays",
        summary="What machines hold stays as it is",
        detail=f"{run.name} took no snapshots: only the configuration goes back.",
        hint=_BEFOREHAND,
    )


def machines_stay(keys: Iterable[str], run: PastRun) -> Diagnostic:
    """Some have a snapshot of the run, and these had one."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="data-stays",
        summary="What machines hold stays as it is",
        detail=f"{', '.join(keys)}: the snapshot of {run.name} is no longer there, or not whole.",
    )


def files_stay(addresses: Iterable[str]) -> Diagnostic:
    """The run changed something inside machines or hosts, and infra.yml is not why."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="files-stay",
        summary="Files beside infra.yml stay as they are",
        detail=f"{', '.join(addresses)} was changed because of files beside infra.yml (files, templates, roles, catalog, secrets): they are in no plan.",
        hint="Put them back too, else the next apply brings them in again:\n    git log -- files templates roles catalog secrets.yml",
    )


def comes_back_empty(keys: Iterable[str]) -> Diagnostic:
    """What is created again has the content of its image."""
    return Diagnostic(
        severity=Severity.WARNING,
        code="comes-back-empty",
        summary="What was deleted comes back empty",
        detail=f"{', '.join(keys)}: what it held was deleted with it, snapshots included.",
        hint="Bring its data in from a backup afterwards.",
    )


def from_within(key: str) -> Diagnostic:
    """Whoever switches off the machine it runs in does not come to the rest."""
    return Diagnostic(
        code="undo-from-within",
        summary="This machine cannot go back by itself",
        detail=f"{key}, which this runs in, is switched off for that, and nobody would be there for the rest.",
        hint="Do it on the computer itself:\n    freehold undo",
    )


def more_than_shown(addresses: Iterable[str]) -> StalePlan:
    """After the data came back, something else is to be done than was agreed to."""
    return StalePlan(
        Diagnostic(
            code="stale-plan",
            summary="The world has moved since this plan was made",
            detail=f"Different now: {', '.join(addresses)}. infra.yml and what machines hold went back; nothing else was changed.",
            hint="Look at the rest, and go on:\n    freehold undo",
        )
    )


def unwritable(path: object, error: OSError) -> Diagnostic:
    """A full disk, or a folder that belongs to somebody else."""
    return Diagnostic(
        code="cannot-write",
        summary="A file cannot be written",
        detail=f"{path}: {error.strerror or error}.",
        hint="Free some space or mind the permissions, then go on:\n    freehold undo",
    )
