"""A snapshot of machines of one domain: all of them, or none; or, when a schedule asks, of each that can. Called by `steps.py`.

The domain says what is under way until it is whole. What a run that was killed has left is removed by whoever comes next.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from freehold.diagnostics import BackendError, BackendInterrupted
from freehold.providers.incus.snapshots.parts import all_of, remove, take
from freehold.providers.incus.snapshots.quiet import Hooks, held_still
from freehold.providers.incus.snapshots.reading import Target
from freehold.providers.incus.snapshots.unfinished import Unfinished, mark_domain
from freehold.providers.protocol import Report
from freehold.system.incus.api import Incus
from freehold.system.incus.thaw import Thaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What is asked for. `hooks` are by machine; `slots` bounds how many snapshots are taken at once, over all domains.

    `together`: of all of them or of none. `own` is the machine in which this process runs: frozen, it could not thaw itself.
    """

    domain: str
    name: str
    targets: Sequence[Target]
    expires: datetime | None
    hooks: Mapping[str, Hooks]
    slots: asyncio.Semaphore
    together: bool = True
    own: str | None = None


async def make(incus: Incus, thaw: Thaw, making: Making, report: Report) -> None:
    """Take it. Raises the first error, and then nothing is left of it, or of the one that failed.

    When Incus went away the mark stays.
    """
    machines = tuple(target.machine for target in making.targets)
    await mark_domain(incus, making.domain, Unfinished(making.name, machines))
    done = 0

    async def one(target: Target) -> None:
        nonlocal done
        async with making.slots:
            await _one(incus, thaw, making, target)
        done += 1
        report(f"{done} of {len(making.targets)}")

    try:
        await all_of(one(target) for target in making.targets)
    except BackendInterrupted:
        raise
    except Exception:
        if making.together:
            report("removing what was made")
            await clear(incus, making.domain, making.name, making.targets)
        else:
            await mark_domain(incus, making.domain, None)
        raise
    await mark_domain(incus, making.domain, None)


async def _one(incus: Incus, thaw: Thaw, making: Making, target: Target) -> None:
    """A machine's. One that stands alone takes away itself what it made before it failed."""
    hooks = making.hooks.get(target.machine, Hooks())
    try:
        async with held_still(incus, thaw, target, hooks, may_freeze=target.key != making.own):
            await take(incus, target, making.name, making.expires)
    except BackendInterrupted:
        raise
    except BackendError:
        if not making.together:
            await remove(incus, target, making.name, target.volumes)
        raise


async def clear(incus: Incus, domain: str, name: str, targets: Sequence[Target]) -> None:
    """Remove a snapshot that is not whole, and its mark."""
    await all_of(remove(incus, target, name, target.volumes) for target in targets)
    await mark_domain(incus, domain, None)
