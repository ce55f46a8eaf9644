"""When an estate does not fit a computer, and when it is tight: one function for each resource. Pure.

Called by `engine.planner`. What a limit means decides: a VM takes the memory it is given, a container only what it uses.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from freehold.diagnostics import Diagnostic, Severity
from freehold.model import Gpu
from freehold.model.computer import Card
from freehold.planning.address import Address
from freehold.planning.capacity import (
    Balance,
    Capacity,
    Fit,
    Problem,
    Resource,
    Share,
    Verdict,
    pool_of,
    shares_after,
)
from freehold.planning.capacity_demand import amount
from freehold.planning.capacity_words import HINTS, SUMMARIES, WHO
from freehold.planning.selection import Selection

TIGHT_MEMORY = 0.9  # of the computer's: the rest is for its own system and what it caches
CPUS_PER_THREAD = 4  # machines mostly wait; beyond that they wait for each other

Shares = Sequence[Share]


def fit(
    capacity: Capacity,
    selection: Selection = Selection(),
    deleted: Collection[Address] = frozenset(),
) -> Fit:
    """The computer after a plan of this selection that deletes these resources."""
    shares = shares_after(capacity.takers, selection, deleted)
    balances = (
        _cpus(capacity, shares),
        _memory(capacity, shares),
        _disk(capacity, shares),
        _vram(capacity, shares),
    )
    return Fit(capacity=capacity, shares=shares, balances=balances)


def _cpus(capacity: Capacity, shares: Shares) -> Balance:
    asked = _sum(shares, Resource.CPUS)
    threads = capacity.computer.threads if capacity.computer else None
    problems = () if threads is None else tuple(_cpu_problems(shares, asked, threads))
    return Balance(resource=Resource.CPUS, asked=asked, available=threads, problems=problems)


def _cpu_problems(shares: Shares, asked: int, threads: int) -> Iterator[Problem]:
    """Incus takes any number, for virtual machines too: so nothing of this is an error."""
    more = [each for each in shares if each.is_ours and each.demand.cpus > threads]
    if more:
        names = ", ".join(f"{each.name} ({each.demand.cpus})" for each in more)
        detail = f"This computer runs {threads} at once; more are asked for by: {names}."
        yield _tight(Resource.CPUS, more, code="cpus-tight", detail=detail)
    elif asked > threads * CPUS_PER_THREAD:
        detail = f"All machines together may use {asked}; this computer runs {threads} at once."
        yield _tight(Resource.CPUS, shares, code="cpus-tight", detail=detail)


def _memory(capacity: Capacity, shares: Shares) -> Balance:
    asked = _sum(shares, Resource.MEMORY)
    total = capacity.computer.memory if capacity.computer else None
    problems = () if total is None else tuple(_memory_problems(shares, asked, total))
    return Balance(resource=Resource.MEMORY, asked=asked, available=total, problems=problems)


def _memory_problems(shares: Shares, asked: int, total: int) -> Iterator[Problem]:
    """The hardest rule that is broken; the others would only repeat it."""
    has = f"this computer has {amount(total)}"
    large = [each for each in shares if each.is_ours and each.demand.memory > total]
    vms = [each for each in shares if each.demand.is_vm]
    if large:
        for share in large:
            detail = f"{share.name} asks for {amount(share.demand.memory)}; {has}."
            yield _too_much(Resource.MEMORY, [share], code="not-enough-memory", detail=detail)
    elif (taken := _sum(vms, Resource.MEMORY)) > total:
        names = ", ".join(f"{each.name} {amount(each.demand.memory)}" for each in vms)
        detail = (
            "Virtual machines take all the memory that they are given. Together that is "
            f"{amount(taken)}, and {has}: {names}."
        )
        yield _too_much(Resource.MEMORY, vms, code="not-enough-memory", detail=detail)
    elif asked > total * TIGHT_MEMORY:
        detail = f"All machines together may take {amount(asked)}; {has}."
        yield _tight(Resource.MEMORY, shares, code="memory-tight", detail=detail)


def _disk(capacity: Capacity, shares: Shares) -> Balance:
    asked = _sum(shares, Resource.DISK)
    pool = pool_of(capacity)
    if pool is None:
        return Balance(resource=Resource.DISK, asked=asked)
    free = max(0, pool.total - pool.used)
    problems = tuple(_disk_problems(f"the pool `{capacity.pool}`", shares, pool.total, free))
    return Balance(
        resource=Resource.DISK, asked=asked, available=pool.total, free=free, problems=problems
    )


def _disk_problems(pool: str, shares: Shares, total: int, free: int) -> Iterator[Problem]:
    """Pools give room when it is written: several disks may promise more than there is, one alone may not."""
    disks = [(share, *disk) for share in shares for disk in share.demand.known_disks.items()]
    large = [each for each in disks if each[0].is_ours and each[2] > total]
    growth = sum(max(0, each.growth(Resource.DISK)) for each in shares)
    asked = _sum(shares, Resource.DISK)
    if large:
        for share, disk, size in large:
            detail = f"{share.name}/{disk} is to have {amount(size)}; {pool} has {amount(total)}."
            yield _too_much(Resource.DISK, [share], code="not-enough-disk", detail=detail)
    elif growth > free:
        detail = f"What is new may take {amount(growth)}; {pool} has {amount(free)} free."
        yield _tight(Resource.DISK, shares, code="disk-tight", detail=detail)
    elif asked > total:
        detail = f"All disks and volumes may take {amount(asked)}; {pool} has {amount(total)}."
        yield _tight(Resource.DISK, shares, code="disk-tight", detail=detail)


def _vram(capacity: Capacity, shares: Shares) -> Balance:
    asked = _sum(shares, Resource.VRAM)
    cards = capacity.computer.cards if capacity.computer else ()
    known = [card.memory for card in cards if card.memory is not None]
    if not known:
        return Balance(resource=Resource.VRAM, asked=asked)
    problems = tuple(_vram_problems(shares, cards, asked, sum(known)))
    return Balance(resource=Resource.VRAM, asked=asked, available=sum(known), problems=problems)


def _vram_problems(
    shares: Shares, cards: Sequence[Card], asked: int, total: int
) -> Iterator[Problem]:
    """A card that does not tell its memory may be the right one: then nothing is sure."""
    is_said = False
    for share in (each for each in shares if each.is_ours and each.demand.vram):
        meant = _meant(share.demand.gpu, cards)
        room = max((card.memory for card in meant if card.memory is not None), default=None)
        if room is None or share.demand.vram <= room:
            continue
        is_said = True
        detail = f"{share.name} asks for {amount(share.demand.vram)}; it can have {amount(room)}"
        if any(card.memory is None for card in meant):
            detail += ", or what a card has that does not tell it."
            yield _tight(Resource.VRAM, [share], code="vram-tight", detail=detail)
        else:
            yield _too_much(Resource.VRAM, [share], code="not-enough-vram", detail=f"{detail}.")
    if not is_said and asked > total:
        detail = f"All machines together ask for {amount(asked)}; the cards have {amount(total)}."
        yield _tight(Resource.VRAM, shares, code="vram-tight", detail=detail)


def _meant(gpu: Gpu | None, cards: Sequence[Card]) -> list[Card]:
    return [card for card in cards if gpu and gpu.means(card)]


def _sum(shares: Iterable[Share], resource: Resource) -> int:
    return sum(each.takes(resource) for each in shares)


def _too_much(resource: Resource, shares: Shares, *, code: str, detail: str) -> Problem:
    return _problem(Verdict.TOO_MUCH, Severity.ERROR, resource, shares, code, detail)


def _tight(resource: Resource, shares: Shares, *, code: str, detail: str) -> Problem:
    return _problem(Verdict.TIGHT, Severity.WARNING, resource, shares, code, detail)


def _problem(
    verdict: Verdict,
    severity: Severity,
    resource: Resource,
    shares: Shares,
    code: str,
    detail: str,
) -> Problem:
    hint = f"{HINTS[resource]} {WHO}"
    said = Diagnostic(
        severity=severity, code=code, summary=SUMMARIES[code], detail=detail, hint=hint
    )
    is_new = any(share.growth(resource) > 0 for share in shares)
    return Problem(verdict=verdict, is_new=is_new, diagnostic=said)
