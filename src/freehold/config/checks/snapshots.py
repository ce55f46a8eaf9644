"""`snapshots`: what is kept fits how often they are made, and nobody sets the same in Incus besides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from freehold.config.checks.context import Context, key_of
from freehold.config.document import DomainPart, MachinePart
from freehold.config.places import KeyPath
from freehold.config.snapshots import SnapshotsPart
from freehold.diagnostics import Diagnostic
from freehold.model.snapshots import UNITS, Schedule

_OPTIONS = "snapshots."
_PERIODS = {unit: unit.removesuffix("ly") for unit in UNITS} | {"daily": "day"}


@dataclass(frozen=True, slots=True)
class _Chain:
    """What stands on the way from the estate to a domain or a machine, the nearest last."""

    parts: tuple[tuple[KeyPath, SnapshotsPart], ...]

    def with_part(self, path: KeyPath, part: SnapshotsPart) -> "_Chain":
        return _Chain((*self.parts, ((*path, "snapshots"), part)))

    def nearest(self, key: str) -> tuple[KeyPath, Any]:
        """The value that counts and its place; None when nobody says."""
        for path, part in reversed(self.parts):
            if (value := getattr(part, key)) is not None:
                return (*path, key), value
        return (), None

    @property
    def schedule(self) -> Schedule:
        return self.nearest("schedule")[1] or Schedule.NEVER


def kept_snapshots(context: Context) -> Iterator[Diagnostic]:
    """`keep` counts something, has a schedule, and is no finer than that."""
    chains = list(_chains(context))
    using: dict[KeyPath, list[_Chain]] = {}
    for chain in chains:
        using.setdefault(chain.nearest("keep")[0], []).append(chain)
    for chain in chains:
        path, part = chain.parts[-1]
        if part.keep is None:
            continue
        where = (*path, "keep")
        if not part.keep.model_fields_set and not context.tree.get(where):
            yield context.at(where, "empty-keep", "It has no count at all.")
        elif not any(_is_scheduled(context, each) for each in using[where]):
            detail = "No schedule makes snapshots here."
            yield context.at_key(where, "keep-without-schedule", detail)
    yield from _finer_than_schedule(context, chains)


def snapshot_options(context: Context) -> Iterator[Diagnostic]:
    """`snapshots.*` of Incus in `config` of a machine or of its profiles, where a schedule is declared."""
    for path, domain, machine in context.machines():
        chain = _chain_of(context, path, domain, machine)
        where, schedule = chain.nearest("schedule")
        if schedule in (None, Schedule.NEVER):
            continue
        for place, key in _options(path, domain, machine):
            detail = (
                f"`snapshots` ({context.line(where)}) has snapshots of {key_of(path)} made {schedule}, "
                f"and `{key}` tells Incus about the same."
            )
            hint = (
                f"Keep `snapshots`, remove `{key}`; or write `schedule: never` for {key_of(path)}."
            )
            yield context.at_key(place, "conflicting-keys", detail, hint)


def _chains(context: Context) -> Iterator[_Chain]:
    """One for each place where `snapshots` may stand, in their order."""
    estate = _Chain(()).with_part((), context.document.snapshots)
    yield estate
    for path, _, domain in context.domains():
        yield estate.with_part(path, domain.snapshots)
    for path, domain, machine in context.machines():
        yield _chain_of(context, path, domain, machine)


def _chain_of(context: Context, path: KeyPath, domain: DomainPart, machine: MachinePart) -> _Chain:
    estate = _Chain(()).with_part((), context.document.snapshots)
    return estate.with_part(path[:2], domain.snapshots).with_part(path, machine.snapshots)


def _is_scheduled(context: Context, chain: _Chain) -> bool:
    """Whether a schedule counts there, or one that was not understood may."""
    understood = all(context.understood((*path, "schedule"), part) for path, part in chain.parts)
    return chain.schedule is not Schedule.NEVER or not understood


def _finer_than_schedule(context: Context, chains: Iterable[_Chain]) -> Iterator[Diagnostic]:
    """Each count once, with the first place where it is too fine."""
    told: set[KeyPath] = set()
    for chain in chains:
        where, keep = chain.nearest("keep")
        if keep is None or chain.schedule is Schedule.NEVER:
            continue
        for unit in UNITS[: UNITS.index(chain.schedule)]:
            count = getattr(keep, unit)
            if count is None or (*where, unit) in told:
                continue
            told.add((*where, unit))
            yield _finer(context, chain, (*where, unit), count)


def _finer(context: Context, chain: _Chain, path: KeyPath, count: int) -> Diagnostic:
    place, schedule = chain.nearest("schedule")
    unit = path[-1]
    detail = (
        f"`{unit}: {count}` of a schedule that is `{schedule}` ({context.line(place)}) keeps the last {count} "
        f"snapshots, {count} {_PERIODS[schedule]}{'' if count == 1 else 's'}."
    )
    is_there = getattr(chain.nearest("keep")[1], schedule) is not None
    hint = (
        f"Remove it: `{schedule}` is counted too." if is_there else f"Write `{schedule}: {count}`."
    )
    return context.at(path, "keep-finer-than-schedule", detail, hint)


def _options(
    path: KeyPath, domain: DomainPart, machine: MachinePart
) -> Iterator[tuple[KeyPath, str]]:
    """Incus's own options about snapshots that a machine gets, and where from."""
    for key in machine.config:
        if key.startswith(_OPTIONS):
            yield (*path, "config", key), key
    for name in machine.profiles:
        profile = domain.profiles.get(name)
        for key in profile.config if profile else ():
            if key.startswith(_OPTIONS):
                yield (*path[:2], "profiles", name, "config", key), key
