"""A snapshot as a state: it is to be there, or not to be. What playbooks ask for; called by `planner.py` through `Asked`.

`taking` and `deleting` are orders, and refuse what is done already; here that is how it should be.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from freehold.diagnostics import Diagnostic
from freehold.operations.snapshots.planner import Asked, Seen
from freehold.operations.snapshots.taking import deleting, taking
from freehold.planning.change import Change
from freehold.providers.incus.snapshots.reading import Target


def present(name: str, expires: datetime | None) -> Asked:
    """Every machine that is meant has a whole snapshot of this name; taken is what is missing."""
    take = taking(name, expires)

    def asked(seen: Seen) -> tuple[Sequence[Change], Sequence[Diagnostic]]:
        lacking = {
            domain: left
            for domain, targets in seen.domains.items()
            if (left := [target for target in targets if not _has(seen, target, name)])
        }
        return take(replace(seen, domains=lacking))

    return asked


def absent(name: str) -> Asked:
    """No machine that is meant has anything of a snapshot of this name."""
    delete = deleting(name)

    def asked(seen: Seen) -> tuple[Sequence[Change], Sequence[Diagnostic]]:
        is_gone = all(target.snapshot(name) is None for target in seen.targets())
        return ((), ()) if is_gone else delete(seen)

    return asked


def _has(seen: Seen, target: Target, name: str) -> bool:
    """What a run that was killed has left is no snapshot yet."""
    found = target.snapshot(name)
    return found is not None and seen.look.is_whole(target, found)
