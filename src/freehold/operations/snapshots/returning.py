"""What it means to go back: to which snapshot each machine goes, what stays, what is kept. Called by `planner.py` through `Asked`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from freehold.diagnostics import Diagnostic, Severity
from freehold.model.snapshots import BEFORE_RESTORE
from freehold.operations.snapshots.planner import Seen
from freehold.operations.snapshots.taking import moment, none_of_that_name
from freehold.planning.change import Action, Change
from freehold.planning.resource import Impact
from freehold.providers.incus.snapshots.reading import Look, Snapshot, Target
from freehold.providers.incus.snapshots.steps import data_address

KEPT_FOR = timedelta(days=7)


@dataclass(slots=True)
class Returning:
    """The machines that are meant go back to the snapshot `name`; to the newest that a domain has when none is named.

    `keeps`: what is now is kept for a week. Deciding which is the newest happens once: what is kept of now is newer.
    """

    name: str | None
    keeps: bool = True
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _chosen: dict[str, str] = field(default_factory=dict)

    @property
    def copy(self) -> str:
        """The name under which what is now is kept."""
        return f"{BEFORE_RESTORE}{self.now:%Y%m%d-%H%M%S}" if self.keeps else ""

    def __call__(self, seen: Seen) -> tuple[Sequence[Change], Sequence[Diagnostic]]:
        changes: list[Change] = []
        problems: list[Diagnostic] = []
        for domain, targets in seen.domains.items():
            name = self._chosen.setdefault(domain, self.name or _newest(seen.look, targets))
            for target in targets:
                snapshot = target.snapshot(name)
                if snapshot is not None and seen.look.is_whole(target, snapshot):
                    changes.append(self._change(seen, target, snapshot))
                    problems += [] if seen.again else _remarks(seen, target, snapshot)
                elif not seen.again:
                    problems.append(_stays(target, name))
        if not changes and not seen.again:
            problems = [none_of_that_name(self.name, seen) if self.name else _none_at_all(seen)]
        return changes, problems

    def _change(self, seen: Seen, target: Target, snapshot: Snapshot) -> Change:
        known = {machine.key for machine in seen.infra.machines()}
        kept = f"; what is now is kept as {self.copy}" if self.copy else ""
        return Change(
            address=data_address(target),
            action=Action.UPDATE,
            impact=Impact.RESTART if target.is_running else Impact.LIVE,
            reason=f"goes back to {snapshot.name} of {moment(snapshot.made)}{kept}",
            destroys_data=not self.copy,
            desired={
                "snapshot": snapshot.name,
                "copy": self.copy,
                "copy_expires": (self.now + KEPT_FOR).isoformat(),
                "starts": target.is_running or target.key in known,
            },
        )


def _newest(look: Look, targets: Sequence[Target]) -> str:
    """The newest that all of them have, else that any has; empty when there is none. Not what a restore has kept."""
    having = [
        {
            s.name: s.made
            for s in target.snapshots
            if look.is_whole(target, s) and not s.name.startswith(BEFORE_RESTORE)
        }
        for target in targets
    ]
    common = set.intersection(*(set(each) for each in having)) if having else set()
    names = common or {name for each in having for name in each}
    times = {name: max(each[name] for each in having if name in each) for name in names}
    return max(times, key=lambda name: (times[name], name), default="")


def _remarks(seen: Seen, target: Target, snapshot: Snapshot) -> Iterator[Diagnostic]:
    left = [place.name for place in target.volumes if place not in snapshot.volumes]
    if target.key == seen.own:
        yield _ends_here(target, bool(snapshot.volumes))
    if left:
        yield Diagnostic(
            severity=Severity.WARNING,
            code="volume-stays",
            summary="A volume is not part of the snapshot",
            detail=f"{target.key}: {', '.join(left)} stays as it is now.",
        )


def _ends_here(target: Target, has_volumes: bool) -> Diagnostic:
    if has_volumes:
        return Diagnostic(
            code="own-volumes",
            summary="This machine cannot bring back its own volumes",
            detail=f"{target.key} must be stopped for that, and nobody would be there to go on.",
            hint="Do it on the computer itself, or in another control machine:\n"
            f"    freehold snapshot restore {target.key}",
        )
    return Diagnostic(
        severity=Severity.WARNING,
        code="own-session",
        summary="This is the machine that you are in",
        detail=f"{target.key} is switched off, brought back and started again: this session ends, and what runs here too.",
        hint="Log in again after a moment, then look whether all is as infra.yml says:\n    freehold plan",
    )


def _stays(target: Target, name: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="has-no-such-snapshot",
        summary="A machine stays as it is",
        detail=f"{target.key} has no whole snapshot `{name}`.",
    )


def _none_at_all(seen: Seen) -> Diagnostic:
    return Diagnostic(
        code="no-snapshots",
        summary="There is nothing to go back to",
        detail=f"None of what is meant has a snapshot: {', '.join(t.key for t in seen.targets())}.",
        hint="Take one before the next change:\n    freehold snapshot create",
    )
