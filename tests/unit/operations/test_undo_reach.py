"""How far an undo goes: what it deletes, in which order it is shown, what is more than was agreed to."""

from dataclasses import replace

from freehold.operations.undo.reach import Reach, beyond, in_view, without
from freehold.planning.address import HOST, Address
from freehold.planning.change import Action, Change, FieldChange
from freehold.planning.plan import Plan
from freehold.planning.resource import Impact

DESK = Address("home", "instance", "desk")


def change(
    action: Action,
    *paths: str,
    address: Address = DESK,
    impact: Impact | None = None,
    destroys_data: bool = False,
) -> Change:
    return Change(
        address=address,
        action=action,
        reason="",
        impact=impact,
        destroys_data=destroys_data,
        fields=tuple(FieldChange(path, 1, 2) for path in paths),
    )


def plan(*changes: Change) -> Plan:
    return Plan(estate="cottage", changes=changes)


def test_what_was_there_before_the_run_is_not_deleted() -> None:
    reach = Reach(("home/till",), spared=frozenset({"instance:home/desk"}))
    assert not reach.includes_deletion(DESK)
    assert reach.includes_deletion(Address("home", "instance", "till"))
    assert reach.includes_deletion(Address("home", "bridge")), "it came with the machine"
    assert not reach.includes(DESK)


def test_all_of_a_domain_stands_together_and_what_machines_hold_comes_first() -> None:
    data = change(Action.UPDATE, address=Address("home", "data", "desk"))
    file = change(Action.UPDATE, address=Address(HOST, "file", "infra.yml"))
    other = change(Action.UPDATE, address=Address("attic", "bridge"))
    desk = change(Action.UPDATE, "memory")
    assert in_view([data], [file], [other, desk]) == (file, other, data, desk)


def test_less_than_was_shown_is_agreed_to() -> None:
    shown = plan(
        change(Action.REPLACE, "image", "memory", impact=Impact.RECREATE, destroys_data=True)
    )
    assert beyond(shown, plan()) == []
    assert beyond(shown, shown) == []
    milder = plan(change(Action.UPDATE, "memory", impact=Impact.RESTART))
    assert beyond(shown, milder) == []


def test_more_than_was_shown_is_not() -> None:
    shown = plan(change(Action.UPDATE, "memory", impact=Impact.LIVE))
    for more in (
        change(Action.UPDATE, "memory", "cpu", impact=Impact.LIVE),
        change(Action.UPDATE, "memory", impact=Impact.RESTART),
        change(Action.REPLACE, "memory", impact=Impact.LIVE),
        change(Action.DELETE),
        change(Action.UPDATE, "memory", impact=Impact.LIVE, destroys_data=True),
        change(Action.UPDATE, "memory", address=Address("home", "instance", "till")),
    ):
        assert beyond(shown, plan(more)) == [more.address], more


def test_what_is_left_out_is_waited_for_by_nobody() -> None:
    till = Address("home", "instance", "till")
    waiting = replace(change(Action.UPDATE), waits_for=frozenset({DESK, till}))
    others = plan(change(Action.UPDATE, address=till), waiting)
    (left,) = without(others, [till]).changes
    assert left.address == DESK
    assert left.waits_for == {DESK}
