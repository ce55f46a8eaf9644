"""Walking a plan over a small in-memory system that can fail, go away and hold things."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

import pytest

from freehold.diagnostics import BackendError, BackendInterrupted, Diagnostic
from freehold.engine import walk
from freehold.engine.events import ChangeInterrupted, Event, StepStarted
from freehold.engine.planner import Planner
from freehold.engine.run import RunResult, run
from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.planning.resource import Desired, Fields, Impact, Kind, Observed
from freehold.providers.protocol import Observation, Report, Step

INFRA = Infra(name="e", base=IPv4Network("10.0.0.0/16"))


def address(name: str) -> Address:
    return Address("d", "box", name)


@dataclass
class Shelf:
    """A provider of boxes. A box is text; `claims` are the texts, no two boxes may hold the same at once."""

    wants: dict[str, str]
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    interrupts: list[str] = field(default_factory=list)
    lies: set[str] = field(default_factory=set)
    kinds: Mapping[str, Kind] = field(
        default_factory=lambda: {
            "box": Kind(name="box", rank=0, impact_of=lambda path, fields: Impact.RESTART)
        }
    )

    async def observe(self, infra: Infra) -> Observation:
        return Observation(
            {
                address(name): Observed(
                    address=address(name), fields={"text": text}, claims=frozenset({text})
                )
                for name, text in self.boxes.items()
            }
        )

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        return {
            address(name): Desired(
                address=address(name),
                fields={"text": text},
                depends_on=frozenset(address(n) for n in self.needs.get(name, ())),
                claims=frozenset({text}),
            )
            for name, text in self.wants.items()
        }

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        name = change.address.name
        if change.action is Action.DELETE:
            return [Step("drop", lambda report: self._drop(name))]
        steps = [Step("write", lambda report: self._write(name, change.desired, report))]
        if change.lets_go:
            steps.insert(0, Step("free", lambda report: self._drop(name), lets_go=True))
        return steps

    async def _drop(self, name: str) -> None:
        await asyncio.sleep(0)
        self.boxes.pop(name, None)

    async def _write(self, name: str, fields: Fields | None, report: Report) -> None:
        await asyncio.sleep(0)
        assert fields is not None
        if name in self.broken:
            raise BackendError(Diagnostic(code="broken", summary="Broken", detail=name))
        assert fields["text"] not in self.boxes.values(), "two boxes with one text"
        if name not in self.lies:
            self.boxes[name] = fields["text"]
        if name in self.interrupts:
            self.interrupts.remove(name)
            raise BackendInterrupted(Diagnostic(code="away", summary="Away", detail=name))

    async def wait_ready(self, timeout: float) -> None:
        await asyncio.sleep(0)


def apply(
    shelf: Shelf, *, prune: bool = False, stop_at: str | None = None
) -> tuple[RunResult, list[Event]]:
    events: list[Event] = []

    async def main() -> RunResult:
        planner = Planner(infra=INFRA, provider=shelf, prune=prune)
        stop = asyncio.Event()

        def listen(event: Event) -> None:
            events.append(event)
            if isinstance(event, StepStarted) and event.change.address.name == stop_at:
                stop.set()

        return await run(planner, (await planner.look()).plan, listen, stop)

    return asyncio.run(main()), events


def statuses(result: RunResult) -> dict[str, str]:
    return {outcome.change.address.name: outcome.status.value for outcome in result.outcomes}


def test_everything_is_made_and_a_second_run_has_nothing_to_do() -> None:
    shelf = Shelf({"a": "1", "b": "2"}, {"a": ("b",)})
    result, _ = apply(shelf)
    assert (shelf.boxes, result.exit_code) == ({"a": "1", "b": "2"}, 0)
    result, events = apply(shelf)
    assert (result.outcomes, events) == ((), [])


def test_a_failure_stops_only_what_waits_for_it() -> None:
    shelf = Shelf({"a": "1", "b": "2", "c": "3"}, {"b": ("a",)}, broken={"a"})
    result, _ = apply(shelf)
    assert statuses(result) == {"a": "failed", "b": "skipped", "c": "done"}
    assert result.exit_code == 4
    shelf.broken.clear()
    result, _ = apply(shelf)
    assert statuses(result) == {"a": "done", "b": "done"}


def test_nothing_done_at_all_is_a_failure() -> None:
    result, _ = apply(Shelf({"a": "1"}, broken={"a"}))
    assert result.exit_code == 1


def test_an_interrupted_change_is_looked_at_again_and_not_done_twice() -> None:
    shelf = Shelf({"a": "1"}, interrupts=["a"])
    result, events = apply(shelf)
    assert statuses(result) == {"a": "done"}
    assert sum(isinstance(event, ChangeInterrupted) for event in events) == 1
    assert sum(isinstance(event, StepStarted) for event in events) == 1


def test_a_system_that_never_stays_ends_in_failure_not_in_a_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "_LONGEST_PAUSE", 0.01)
    shelf = Shelf({"a": "1"}, interrupts=["a"] * 99, lies={"a"})
    result, _ = apply(shelf)
    assert statuses(result) == {"a": "failed"}


def test_stopping_finishes_the_running_step_and_says_where() -> None:
    shelf = Shelf({"a": "1", "b": "2"}, {"b": ("a",)})
    result, _ = apply(shelf, stop_at="a")
    assert result.stopped
    assert statuses(result) == {"a": "done", "b": "skipped"}
    assert shelf.boxes == {"a": "1"}


def test_swapped_claims_are_passed_on_without_a_moment_of_two_holders() -> None:
    shelf = Shelf({"a": "2", "b": "3", "c": "1"}, boxes={"a": "1", "b": "2", "c": "3"})
    result, _ = apply(shelf)
    assert result.exit_code == 0
    assert shelf.boxes == {"a": "2", "b": "3", "c": "1"}


def test_who_waits_for_a_claim_of_a_failed_change_is_skipped() -> None:
    shelf = Shelf({"a": "2", "b": "3"}, boxes={"a": "1", "b": "2"}, broken={"b"})
    result, _ = apply(shelf)
    assert statuses(result) in (
        {"a": "done", "b": "failed"},  # b let go of 2 before it failed
    )


def test_a_claim_of_an_orphan_is_taken_after_it_is_gone() -> None:
    shelf = Shelf({"new": "1"}, boxes={"old": "1"})
    result, _ = apply(shelf, prune=True)
    assert (result.exit_code, shelf.boxes) == (0, {"new": "1"})


def test_a_change_that_does_not_stick_is_not_called_done() -> None:
    result, _ = apply(Shelf({"a": "1"}, lies={"a"}))
    assert [diagnostic.code for diagnostic in result.unsettled] == ["not-settled"]
    assert result.exit_code == 4
