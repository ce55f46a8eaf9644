"""Does the estate fit the computer that carries it: who takes what after the plan, beside what there is. Pure.

A provider says what it saw (`Capacity`), `capacity_rules.fit` makes of it what a plan leaves (`Fit`) for `engine.planner`, and
`views.capacity` shows that. docs/explanation/capacity.md tells the rules.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from freehold.diagnostics import Diagnostic
from freehold.model.computer import Computer, Pool
from freehold.planning.address import Address
from freehold.planning.capacity_demand import Demand
from freehold.planning.selection import Selection

LOCAL = "local"
"""The name of the computer whose Incus Freehold talks to."""

NOTHING = Demand()


class Resource(StrEnum):
    """What a computer has only so much of. CPUs are counted in threads, the others in bytes."""

    CPUS = "cpus"
    MEMORY = "memory"
    DISK = "disk"
    VRAM = "vram"


class Verdict(StrEnum):
    """How what is asked for compares with what there is."""

    FITS = "fits"
    TIGHT = "tight"
    TOO_MUCH = "does not fit"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """A machine, or a volume that no machine of infra.yml has: what it is to take, and what it takes by its limits now.

    `wanted` is None for what infra.yml does not name, `present` for what does not exist yet.
    """

    address: Address
    wanted: Demand | None = None
    present: Demand | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one taker has when the plan is carried out (`demand`) and what it had (`before`)."""

    address: Address
    demand: Demand
    before: Demand = NOTHING
    is_ours: bool = True

    @property
    def name(self) -> str:
        return self.address.path

    def takes(self, resource: Resource) -> int:
        return _of(self.demand, resource)

    def growth(self, resource: Resource) -> int:
        """By how much more; below zero when it becomes less."""
        return _of(self.demand, resource) - _of(self.before, resource)


def _of(demand: Demand, resource: Resource) -> int:
    match resource:
        case Resource.CPUS:
            return demand.cpus
        case Resource.MEMORY:
            return demand.memory
        case Resource.DISK:
            return demand.disk
        case Resource.VRAM:
            return demand.vram


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """One computer and all that live on it. Without `computer` it did not tell, and `reason` says why."""

    pool: str
    takers: tuple[Taker, ...]
    computer: Computer | None = None
    reason: str = ""
    host: str = LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What does not fit or is tight. `is_new`: the plan makes it so; else it is so already and nothing to stop for."""

    verdict: Verdict
    is_new: bool
    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One resource of a computer: what is asked for, what there is (None: not known), what of it is free."""

    resource: Resource
    asked: int
    available: int | None = None
    free: int | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Where nothing is asked for, nothing needs to be known."""
        if self.available is None:
            return Verdict.NOT_MEASURED if self.asked else Verdict.FITS
        found = {problem.verdict for problem in self.problems}
        return next((each for each in _WORST_FIRST if each in found), Verdict.FITS)


_WORST_FIRST = (Verdict.TOO_MUCH, Verdict.TIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A computer as it is once the plan is carried out."""

    capacity: Capacity
    shares: tuple[Share, ...]
    balances: tuple[Balance, ...]

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Errors for what cannot fit, warnings for what is tight, of what the plan makes so."""
        return tuple(
            problem.diagnostic
            for balance in self.balances
            for problem in balance.problems
            if problem.is_new
        )

    @property
    def is_noteworthy(self) -> bool:
        """Whether people should see the table unasked."""
        return bool(self.diagnostics)


def shares_after(
    takers: Collection[Taker], selection: Selection, deleted: Collection[Address]
) -> tuple[Share, ...]:
    """Who takes what when a plan of this selection, with these deletions, has been carried out."""
    found = []
    for taker in takers:
        before = taker.present or NOTHING
        if taker.wanted is not None and selection.includes(taker.address):
            found.append(Share(taker.address, taker.wanted, before))
        elif taker.present is not None and taker.address not in deleted:
            found.append(Share(taker.address, before, before, is_ours=taker.wanted is not None))
    return tuple(found)


def pool_of(capacity: Capacity) -> Pool | None:
    """The storage pool of the estate, None when nothing is known of it."""
    pool = capacity.computer.pools.get(capacity.pool) if capacity.computer else None
    return pool if pool and pool.total else None
