"""Which run `undo` takes back, and to what: from journals as runs write them."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from freehold.diagnostics import ExitCode, FreeholdError
from freehold.engine.events import ChangeDone, ChangeStarted
from freehold.engine.journal import Journal
from freehold.engine.past_plans import keep
from freehold.operations.undo.choice import Return, returning
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.document import Inputs, SavedPlan
from freehold.planning.plan import Plan

Machines = Mapping[str, str]


class Past:
    """Runs that were made in a folder, one second after the other. Each has the text `of NAME`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seconds = count()

    def run(
        self,
        verb: str = "apply",
        code: ExitCode | None = ExitCode.DONE,
        *,
        undoes: str = "",
        kept: Machines | None = None,
        came_back: tuple[str, ...] = (),
        changes: str = "instance",
        plan: bool = True,
    ) -> str:
        name = f"20260301T1403{next(self._seconds):02}.000-{verb}"
        if plan:
            inputs = Inputs({"infra.yml": f"of {name}"})
            keep(self.folder, name, SavedPlan.of(Plan(estate="cottage"), {}, inputs))
        journal = Journal(self.folder, verb, name)
        journal.planned(Plan(estate="cottage"))
        journal.noted("snapshots", {"machines": dict(kept or {})})
        if undoes:
            journal.noted("undo", {"run": undoes, "to": "?"})
        if changes:
            journal(ChangeStarted(_change(changes, "desk")))
        for machine in came_back:
            journal(ChangeDone(_change("data", machine), 1.0))
        if code is not None:
            journal.finished(code)
        return name

    def back(self, run: str | None = None) -> Return:
        return returning(self.folder, run)

    def refused(self, run: str | None = None) -> str:
        with pytest.raises(FreeholdError) as error:
            self.back(run)
        return error.value.diagnostics[0].code


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path)


def _change(kind: str, machine: str) -> Change:
    return Change(address=Address("home", kind, machine), action=Action.UPDATE, reason="")


def names(back: Return) -> tuple[str, str]:
    return back.run.name, back.to.name


def test_the_last_run_goes_back_to_the_one_before(past: Past) -> None:
    first, second = past.run(), past.run(kept={"home/desk": "run-x"})
    back = past.back()
    assert names(back) == (second, first)
    assert back.texts == {"infra.yml": f"of {first}"}
    assert back.snapshots == {"home/desk": "run-x"}
    assert (back.also, back.done) == ((), frozenset())


def test_runs_that_changed_nothing_and_other_verbs_do_not_count(past: Past) -> None:
    first, second = past.run(), past.run()
    past.run("snapshot", plan=False)
    past.run("sync", plan=False)
    past.run(changes="")
    past.run(code=ExitCode.FAILED, changes="snapshot")
    assert names(past.back()) == (second, first)
    assert names(past.back("last")) == (second, first)


def test_a_run_that_failed_or_was_killed_is_taken_back_but_never_gone_back_to(past: Past) -> None:
    first = past.run()
    failed: Any = past.run(code=ExitCode.PARTLY_APPLIED)
    killed = past.run(code=None)
    back = past.back()
    assert names(back) == (killed, first)
    assert [run.name for run in back.also] == [failed]


def test_twice_in_a_row_goes_two_back_and_an_undo_can_be_taken_back_by_name(past: Past) -> None:
    first, second, third = past.run(), past.run(), past.run()
    undone = past.run("undo", undoes=third)
    back = past.back()
    assert names(back) == (second, first)
    assert back.also == ()

    assert names(past.back(undone)) == (undone, third)
    past.run("undo", undoes=undone)
    assert names(past.back())[0] == third, "it stands again"


def test_an_undo_that_did_not_end_is_gone_on_with(past: Past) -> None:
    first, second = past.run(), past.run(kept={"home/desk": "run-2", "home/shelf": "run-2"})
    kept = {"home/desk": "before-1", "home/shelf": "before-1"}
    past.run("undo", None, undoes=second, kept=kept, came_back=("desk",))
    back = past.back()
    assert names(back) == (second, first)
    assert back.begun == kept
    assert back.done == {"home/desk"}
    past.run("undo", None, undoes=second, kept=kept | {"home/shelf": "before-2"})
    assert past.back().begun == {"home/desk": "before-1", "home/shelf": "before-2"}
    assert past.back().done == {"home/desk"}


def test_what_was_changed_since_begins_the_undo_anew(past: Past) -> None:
    _, second = past.run(), past.run(kept={"home/desk": "run-2"})
    past.run("undo", None, undoes=second, kept={"home/desk": "before-1"}, came_back=("desk",))
    third = past.run()
    assert names(past.back()) == (third, second)
    assert past.back(second).done == frozenset()


def test_an_older_run_takes_back_what_came_after_it(past: Past) -> None:
    first, second, third = past.run(), past.run(), past.run()
    back = past.back(second)
    assert names(back) == (second, first)
    assert [run.name for run in back.also] == [third]


def test_what_there_is_to_say_when_there_is_no_way_back(past: Past) -> None:
    assert past.refused() == "no-runs"
    first = past.run()
    assert past.refused() == "nothing-before"
    assert past.refused("nowhere") == "unknown-run"
    taken = past.run("snapshot", plan=False)
    assert past.refused(taken) == "cannot-undo"
    destroyed = past.run("destroy")
    assert names(past.back()) == (destroyed, first), "what was destroyed can be made again"
    past.run()
    assert past.refused() == "nothing-before"
    past.run("orphans --prune")
    assert past.refused() == "cannot-undo"


@pytest.mark.parametrize("whose", ["its own", "the one before"])
def test_without_the_plan_nothing_is_guessed(past: Past, whose: str) -> None:
    past.run()
    past.run(plan=whose == "its own")
    past.run(plan=whose == "the one before")
    assert past.refused() == "unknown-past"
