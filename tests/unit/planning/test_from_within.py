"""What may not be done from inside a machine of the estate: with the host's firewall out of sight, and to that machine itself."""

from collections.abc import Sequence
from typing import Any

import pytest

from freehold.diagnostics import Diagnostic
from freehold.planning.address import Address
from freehold.planning.change import Action
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.planning.resource import Desired, Fields, Impact, Kind, Observed


def _impact(path: str, fields: Fields) -> Impact:
    return {"image": Impact.RECREATE, "nic": Impact.RESTART}.get(path, Impact.LIVE)


KINDS = {
    "network": Kind(name="network", rank=0),
    "box": Kind(name="box", rank=1, holds_data=True, impact_of=_impact),
    "wall": Kind(name="wall", rank=-1, guards=frozenset({"box"})),
    "route": Kind(name="route", rank=2),
}
OWN = Address("admin", "box", "ctl")
WHY = Diagnostic(
    code="host-unseen", summary="Not seen", detail="It is silent.", hint="Wake it:\n    wake"
)


def plan(
    before: Fields | None,
    after: Fields | None,
    *,
    at: Address = OWN,
    unseen: Sequence[str] = (),
    **options: Any,
) -> Plan:
    """The plan from one state of a resource to another."""
    return compare(
        Question(
            estate="cottage", kinds=KINDS, here=OWN, unseen=dict.fromkeys(unseen, WHY),
            desired={} if after is None else {at: Desired(address=at, fields=after)},
            observed={} if before is None else {at: Observed(address=at, fields=before)},
            **options,
        )
    )  # fmt: skip


def errors(made: Plan) -> list[str]:
    return [each.code for each in made.diagnostics if each.is_error]


OTHER = Address("pro", "box", "dev")
NETWORK = Address("pro", "network")


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, {"size": 1}), ({"size": 1}, {"size": 2}), ({"nic": 1}, {"nic": 2}), ({"image": "a"}, {"image": "b"})],
)  # fmt: skip
def test_no_machine_is_made_or_changed_while_its_guard_is_not_seen(
    before: Fields | None, after: Fields
) -> None:
    assert errors(plan(before, after, at=OTHER)) == []
    refused = plan(before, after, at=OTHER, unseen=["wall"])
    assert errors(refused) == ["unguarded"]
    [error] = [each for each in refused.diagnostics if each.is_error]
    assert str(OTHER) in error.detail
    assert error.hint == WHY.hint


def test_what_no_guard_stands_before_can_be_done() -> None:
    assert errors(plan(None, {"size": 1}, at=NETWORK, unseen=["wall", "route"])) == []
    assert errors(plan({"size": 1}, None, at=OTHER, unseen=["wall"], prune=True)) == []
    assert errors(plan(None, {"size": 1}, at=OTHER, unseen=["route"])) == []


def test_what_is_not_seen_is_said_once_for_each_reason() -> None:
    made = plan({"size": 1}, {"size": 1}, unseen=["wall", "route"])
    assert made.unseen == ("route", "wall")
    [warning] = made.diagnostics
    assert not warning.is_error
    assert warning.detail == "Not measured: route, wall. It is silent."


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [({"nic": 1}, {"nic": 2}, Action.UPDATE), ({"image": "a"}, {"image": "b"}, Action.REPLACE)],
)
def test_the_machine_it_runs_in_is_not_stopped(
    before: Fields, after: Fields, action: Action
) -> None:
    made = plan(before, after)
    assert made.changes[0].action is action
    assert errors(made) == ["own-machine"]
    assert errors(plan(before, after, at=OTHER)) == []


def test_the_machine_it_runs_in_is_not_deleted() -> None:
    assert errors(plan({"size": 1}, None, prune=True)) == ["own-machine"]
    assert errors(plan({"size": 1}, None, destroy=True)) == ["own-machine"]
    assert errors(plan({"size": 1}, {"size": 2})) == [], "what it does not notice may be done"
