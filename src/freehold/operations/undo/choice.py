"""Which run is taken back, and to what: read from the journal and the plans kept beside it. Called by `cli.undo`.

A run is taken back by going to the texts of the last run before it that ended well. A run of `undo` is a run like any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.engine.journal import PastRun, past_runs
from freehold.engine.past_plans import plan_of
from freehold.operations.snapshots.first import FACT as SNAPSHOTS
from freehold.operations.undo.problems import (
    deleted_for_good,
    no_plan,
    no_runs,
    not_a_change,
    nothing_before,
    nothing_to_undo,
    unknown_run,
)
from freehold.planning.address import Address
from freehold.planning.change import Action
from freehold.planning.document import SavedPlan
from freehold.providers.compose.places import target_of
from freehold.providers.incus.snapshots.steps import DATA

UNDO = "undo"
PRUNING = "orphans --prune"
FACT = "undo"
"""The journal's event of a run of `undo` that says which run it takes back."""

INSIDE, SERVICE = "provision", "service"
"""The kinds of what machines and hosts have inside, and of what runs there: both depend on files beside infra.yml too."""
_HEALED = frozenset({"state", "unhealthy"})
"""Fields of a service that no file is the reason for."""

_REVERSIBLE = frozenset({"apply", "destroy", UNDO})
_CHANGING = _REVERSIBLE | {PRUNING, "ansible"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What going back means. `run` is taken back, with its plan; `to` is the run whose texts come back.

    `also` are other runs since then, which are taken back with it. `snapshots` are the run's, by machine. Of runs of `undo`
    that did not come to their end, `begun` says by machine under which name they kept what was there; `done` are the
    machines that came back in them already.
    """

    run: PastRun
    saved: SavedPlan
    to: PastRun
    texts: Mapping[str, str]
    also: tuple[PastRun, ...]
    snapshots: Mapping[str, str]
    begun: Mapping[str, str]
    done: frozenset[str]

    @property
    def inside(self) -> frozenset[str]:
        """The addresses of what the run changed inside of machines and hosts, but for machines that came back already."""
        return frozenset(
            change["address"]
            for change in self.saved.document["changes"]
            if change["action"] == Action.UPDATE.value
            and place_of(Address.parse(change["address"])) not in {None, *self.done}
            and not _only_heals(change)
        )


def place_of(address: Address) -> str | None:
    """The machine or host that this is inside of; None for all else."""
    if address.kind == SERVICE:
        return target_of(address)
    return address.path if address.kind == INSIDE else None


def _only_heals(change: Mapping[str, Any]) -> bool:
    """Whether a service was to run again, as it had."""
    paths = {field["path"] for field in change["fields"]}
    return Address.parse(change["address"]).kind == SERVICE and paths <= _HEALED


def returning(folder: Path, name: str | None) -> Return:
    """`name` is that of a run; None: the last one that changed something and is not itself taken back.

    Raises UsageError when there is none such, FreeholdError when nothing is known of what was before it.
    """
    runs = list(past_runs(folder))  # newest first
    if not runs:
        raise no_runs()
    run = _last(runs) if name in (None, "last") else _named(runs, str(name))
    saved = plan_of(folder, run.name)
    if saved is None:
        raise no_plan(run)
    to = _before(runs, run)
    plan = plan_of(folder, to.name)
    if plan is None:
        raise no_plan(to, run)
    begun, done = _attempts(runs, run)
    return Return(
        run=run,
        saved=saved,
        to=to,
        texts=plan.sources,
        also=tuple(_also(runs, run, to)),
        snapshots=run.fact(SNAPSHOTS).get("machines", {}),
        begun=begun,
        done=done,
    )


def _last(runs: Sequence[PastRun]) -> PastRun:
    """Twice in a row goes two runs back; a run of `undo` that did not come to its end is gone on with."""
    undone = _undone(runs)
    changing = [run for run in runs if run.verb in _CHANGING and run.changed_something]
    if changing and changing[0].verb == UNDO and not changing[0].ended_well:
        return _named(runs, changing[0].fact(FACT).get("run", ""))
    for run in changing:
        if run.verb not in {UNDO, "ansible"} and run.name not in undone:
            return _reversible(run)
    raise nothing_to_undo()


def _undone(runs: Sequence[PastRun]) -> set[str]:
    """The names of the runs that are taken back; what took them back may be itself."""
    undone: set[str] = set()
    for run in runs:
        if run.verb == UNDO and run.ended_well and run.name not in undone:
            undone.add(run.fact(FACT).get("run", ""))
    return undone


def _named(runs: Sequence[PastRun], name: str) -> PastRun:
    for run in runs:
        if run.name == name:
            return _reversible(run)
    raise unknown_run(name, [run.name for run in runs if run.verb in _REVERSIBLE])


def _reversible(run: PastRun) -> PastRun:
    if run.verb == PRUNING:
        raise deleted_for_good(run)
    if run.verb not in _REVERSIBLE or not run.changed_something:
        raise not_a_change(run)
    return run


def _before(runs: Sequence[PastRun], run: PastRun) -> PastRun:
    """The last run before it after which the estate was as its texts say."""
    older = [each for each in runs if each.name < run.name and each.verb in _REVERSIBLE]
    for each in older:
        if each.ended_well and each.changed_something:
            if each.verb == "destroy":
                raise nothing_before(run, each)
            return each
    raise nothing_before(run)


def _also(runs: Sequence[PastRun], run: PastRun, to: PastRun) -> Iterator[PastRun]:
    undone = _undone(runs)
    for each in runs:
        counts = each.verb in _CHANGING - {UNDO} and each.changed_something
        if counts and each.name > to.name and each.name not in {run.name, *undone}:
            yield each


def _attempts(runs: Sequence[PastRun], run: PastRun) -> tuple[dict[str, str], frozenset[str]]:
    """What runs that were to take it back have begun and done. Whatever changed something since ends the search."""
    begun: dict[str, str] = {}
    done: set[str] = set()
    for each in runs:
        if each.verb == UNDO and not each.ended_well and each.fact(FACT).get("run") == run.name:
            kept = each.fact(SNAPSHOTS).get("machines", {})
            begun = {**kept, **begun}
            ended = {e.get("address") for e in each.events if e["event"] == "change-done"}
            done |= {key for key in kept if _data(key) in ended}
        elif each.changed_something:
            break
    return begun, frozenset(done)


def _data(key: str) -> str:
    domain, _, machine = key.partition("/")
    return str(Address(domain, DATA.name, machine))
