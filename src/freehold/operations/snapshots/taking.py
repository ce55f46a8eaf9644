"""What it means to take a snapshot, and to delete one. Called by `planner.py` through `Asked`."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from freehold.diagnostics import Diagnostic, Severity, UsageError, did_you_mean
from freehold.model.snapshots import BEFORE_RESTORE, NAME, OF_RUNS, RESERVED, SCHEDULED
from freehold.operations.snapshots.planner import Asked, Seen
from freehold.planning.change import Action, Change
from freehold.providers.incus.snapshots.reading import Target
from freehold.providers.incus.snapshots.steps import snapshot_address
from freehold.providers.incus.snapshots.unfinished import half_restored


def named(name: str) -> str:
    """A name that people may give. Raises UsageError for any other."""
    if not NAME.fullmatch(name):
        raise UsageError(
            Diagnostic(
                code="bad-snapshot-name",
                summary="A snapshot cannot be called so",
                detail=f"`{name}`: letters, digits, `.`, `_` and `-`, at most 63, the first a letter or a digit.",
            )
        )
    for beginning in RESERVED:
        if name.startswith(beginning):
            raise UsageError(_reserved(name, beginning))
    return name


def taking(name: str, expires: datetime | None) -> Asked:
    """A snapshot of this name of every machine that is meant."""

    def asked(seen: Seen) -> tuple[Sequence[Change], Sequence[Diagnostic]]:
        problems = [] if seen.again else list(_in_the_way(seen, name))
        changes = [
            creation(domain, name, targets, expires)
            for domain, targets in seen.domains.items()
            if seen.look.unfinished.get(domain) or not _all_have(targets, name)
        ]
        return changes, problems

    return asked


def deleting(name: str) -> Asked:
    """The snapshot of this name of every machine that is meant and has one."""

    def asked(seen: Seen) -> tuple[Sequence[Change], Sequence[Diagnostic]]:
        changes = [
            deletion(domain, name, having)
            for domain, targets in seen.domains.items()
            if (having := [target for target in targets if target.snapshot(name)])
        ]
        problems = list(_goes_back(seen))
        if not changes and not seen.again:
            problems.append(none_of_that_name(name, seen))
        return changes, problems

    return asked


def deletion(domain: str, name: str, targets: Sequence[Target]) -> Change:
    """That of these machines goes, with the parts of their volumes."""
    made = min(snapshot.made for t in targets if (snapshot := t.snapshot(name)))
    fields = {"machines": [target.machine for target in targets]}
    return Change(
        address=snapshot_address(domain, name),
        action=Action.DELETE,
        reason=f"of {moment(made)}: {', '.join(fields['machines'])}",
        observed=fields,
    )


def none_of_that_name(name: str, seen: Seen) -> Diagnostic:
    """With what there is instead."""
    known = sorted({s.name for target in seen.targets() for s in target.snapshots})
    return Diagnostic(
        code="no-such-snapshot",
        summary="There is no snapshot of this name",
        detail=f"{name}: none of what is meant has one.",
        hint=did_you_mean(name, known) or "Look at those there are:\n    freehold snapshot list",
    )


def moment(of: datetime) -> str:
    """`2026-11-21 19:30`, in the time of this computer."""
    return f"{of.astimezone():%Y-%m-%d %H:%M}"


def creation(
    domain: str,
    name: str,
    targets: Sequence[Target],
    expires: datetime | None = None,
    *,
    together: bool = True,
) -> Change:
    """One of these machines of a domain; `together`: of all of them or of none."""
    return Change(
        address=snapshot_address(domain, name),
        action=Action.CREATE,
        reason="was asked for",
        desired={
            "machines": [target.machine for target in targets],
            "volumes": sum(len(target.volumes) for target in targets),
            "expires": expires.isoformat() if expires else None,
            "together": together,
        },
    )


def _all_have(targets: Sequence[Target], name: str) -> bool:
    return all((found := target.snapshot(name)) and found.has_disk for target in targets)


def _in_the_way(seen: Seen, name: str) -> Iterator[Diagnostic]:
    yield from _goes_back(seen)
    for target in seen.targets():
        if target.key == seen.own and target.volumes:
            yield _not_still(target)
        if target.snapshot(name) and not seen.look.is_left(target, name):
            yield Diagnostic(
                code="snapshot-exists",
                summary="There is a snapshot of this name already",
                detail=f"{target.key} has `{name}`. Nothing was taken.",
                hint="Take another name, or delete that one:\n"
                f"    freehold snapshot delete {target.key} --name {name}",
            )


def _goes_back(seen: Seen) -> Iterator[Diagnostic]:
    for target in seen.targets():
        if target.restoring:
            yield half_restored(target.key, target.restoring)


def _not_still(target: Target) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="own-machine-moves",
        summary="A machine cannot hold itself still",
        detail=f"{target.key} is the machine that this runs in: its disk and its volumes are taken a moment apart.",
        hint="For one moment of all of it, do it on the computer itself.",
    )


def _reserved(name: str, beginning: str) -> Diagnostic:
    whose = {
        SCHEDULED: "those that the schedule in infra.yml makes, and deletes again",
        OF_RUNS: "those that `apply --snapshot` makes",
        BEFORE_RESTORE: "what a restore keeps of what it replaces",
    }
    return Diagnostic(
        code="reserved-snapshot-name",
        summary="This beginning of a name has a meaning",
        detail=f"`{name}`: `{beginning}…` are {whose[beginning]}.",
        hint="Choose another name.",
    )
