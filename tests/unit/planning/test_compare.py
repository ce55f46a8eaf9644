"""Desired against observed: which changes, in which order, and what is refused."""

from typing import Any

from freehold.planning.address import HOST, Address
from freehold.planning.compare import compare, moved
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.planning.resource import Desired, Fields, Impact, Kind, Observed
from freehold.planning.selection import Selection


def _impact(path: str, fields: Fields) -> Impact:
    return {"image": Impact.RECREATE, "nic": Impact.RESTART}.get(path, Impact.LIVE)


KINDS = {
    "network": Kind(name="network", rank=0),
    "box": Kind(name="box", rank=1, holds_data=True, impact_of=_impact),
    "wall": Kind(name="wall", rank=-1, guards=frozenset({"box"})),
    "inside": Kind(name="inside", rank=2, shields=frozenset({"port"})),
    "port": Kind(name="port", rank=3),
}
WALL = Address(HOST, "wall")


def network(domain: str) -> Address:
    return Address(domain, "network")


def box(domain: str, name: str) -> Address:
    return Address(domain, "box", name)


def wanted(address: Address, *needs: Address, claim: str = "", **fields: Any) -> Desired:
    claims = frozenset({claim} if claim else ())
    return Desired(address=address, fields=fields, depends_on=frozenset(needs), claims=claims)


def seen(address: Address, *needs: Address, claim: str = "", **options: Any) -> Observed:
    fields: Fields = {k: options.pop(k) for k in ("image", "nic", "size") if k in options}
    claims = frozenset({claim} if claim else ())
    return Observed(
        address=address, fields=fields, depends_on=frozenset(needs), claims=claims, **options
    )


def plan(desired: list[Desired], observed: list[Observed], **options: Any) -> Plan:
    return compare(
        Question(
            estate="e",
            desired={d.address: d for d in desired},
            observed={o.address: o for o in observed},
            kinds=KINDS,
            **options,
        )
    )


def test_nothing_differs() -> None:
    made = plan([wanted(box("a", "x"), image="1")], [seen(box("a", "x"), image="1")])
    assert made.is_empty
    assert made.summary() == {
        "create": 0,
        "update": 0,
        "replace": 0,
        "delete": 0,
        "unchanged": 1,
        "orphans": 0,
    }


def test_changes_are_grouped_by_domain_and_what_others_need_comes_first() -> None:
    made = plan(
        [
            wanted(box("b", "x"), network("b")),
            wanted(network("b")),
            wanted(box("a", "y"), network("a")),
            wanted(box("a", "x"), network("a")),
            wanted(network("a")),
        ],
        [],
    )
    assert [str(c.address) for c in made.changes] == [
        "network:a",
        "box:a/x",
        "box:a/y",
        "network:b",
        "box:b/x",
    ]
    assert made.changes[1].waits_for == {network("a")}


def test_the_hardest_field_decides_how_a_change_is_made() -> None:
    made = plan(
        [wanted(box("a", "x"), image="2", nic="n2", size=2)],
        [seen(box("a", "x"), image="1", nic="n1", size=1)],
    )
    [change] = made.changes
    assert (change.action, change.impact) == ("replace", "recreate")
    assert change.destroys_data
    assert {f.path: f.impact for f in change.fields} == {
        "image": "recreate",
        "nic": "restart",
        "size": "live",
    }
    assert change.reason == "image differs from infra.yml, which needs creating it anew"


def test_an_orphan_is_listed_and_deleted_only_when_asked() -> None:
    observed = [seen(box("a", "x"), network("a")), seen(network("a"))]
    listed = plan([], observed)
    assert listed.is_empty
    assert [str(o.address) for o in listed.orphans] == ["box:a/x", "network:a"]
    pruned = plan([], observed, prune=True)
    assert [str(c.address) for c in pruned.changes] == ["box:a/x", "network:a"]
    assert pruned.changes[1].waits_for == {box("a", "x")}
    assert pruned.orphans == ()


def test_a_protected_orphan_keeps_what_it_needs() -> None:
    observed = [
        seen(box("a", "x"), network("a"), protected=True, unprotect="lift it"),
        seen(network("a")),
        seen(network("b")),
    ]
    pruned = plan([], observed, prune=True)
    assert [str(c.address) for c in pruned.changes] == ["network:b"]
    [warning] = pruned.diagnostics
    assert (warning.code, warning.is_error) == ("protected-orphan", False)
    destroyed = plan([], observed, destroy=True)
    assert not destroyed.can_apply


def test_what_is_not_ours_is_refused_and_the_way_to_adopt_it_told() -> None:
    for owner in (None, "another"):
        stranger = seen(box("a", "x"), owned=False, owner=owner, adopt="mark it")
        made = plan([wanted(box("a", "x"), image="1")], [stranger])
        assert made.is_empty
        [problem] = made.diagnostics
        assert problem.code == "not-ours"
        assert "mark it" in (problem.hint or "")
        assert (owner or "no mark") in problem.detail


def test_what_is_not_ours_matters_only_where_the_selection_needs_it() -> None:
    stranger = seen(network("a"), owned=False, adopt="mark it")
    desired = [
        wanted(network("a")),
        wanted(box("a", "x"), network("a"), image="1"),
        wanted(box("b", "y"), image="1"),
    ]
    elsewhere = plan(desired, [stranger], selection=Selection(limits=("b",)))
    assert elsewhere.can_apply
    inside = plan(desired, [stranger], selection=Selection(kinds=("box",)))
    assert [problem.code for problem in inside.diagnostics] == ["not-ours"]


def test_an_address_held_by_an_orphan_is_refused_until_it_is_pruned() -> None:
    desired = [wanted(box("a", "new"), claim="10.0.0.1")]
    observed = [seen(box("a", "old"), claim="10.0.0.1")]
    assert [d.code for d in plan(desired, observed).diagnostics] == ["claimed"]
    pruned = plan(desired, observed, prune=True)
    assert pruned.can_apply
    assert pruned.changes[0].claims_from == {box("a", "old")}


def test_an_address_passed_on_is_awaited_from_its_holder() -> None:
    desired = [
        wanted(box("a", "x"), claim="10.0.0.2", nic="10.0.0.2"),
        wanted(box("a", "y"), claim="10.0.0.1", nic="10.0.0.1"),
    ]
    observed = [
        seen(box("a", "x"), claim="10.0.0.1", nic="10.0.0.1"),
        seen(box("a", "y"), claim="10.0.0.2", nic="10.0.0.2"),
    ]
    made = plan(desired, observed)
    assert made.can_apply
    assert [c.lets_go for c in made.changes] == [True, True]
    assert made.changes[0].claims_from == {box("a", "y")}
    assert made.changes[0].waits_for == frozenset()


def test_foreign_things_keep_their_container() -> None:
    made = plan([], [seen(network("a"), foreign=("box theirs",))], prune=True)
    assert [d.code for d in made.diagnostics] == ["holds-foreign"]
    assert not made.can_apply


def test_selection_of_a_machine_takes_in_its_domain_but_not_its_neighbours() -> None:
    selection = Selection(limits=("a/x",))
    assert selection.includes(Address("a", "project"))
    assert selection.includes(Address("a", "instance", "x"))
    assert selection.includes(Address("a", "volume", "x/data"))
    assert not selection.includes(Address("a", "instance", "xy"))
    assert not selection.includes(Address("b", "project"))
    assert not Selection(kinds=("volume",)).includes(Address("a", "instance", "x"))


def test_moved_names_what_is_no_longer_as_it_was_seen() -> None:
    before = {o.address: o for o in [seen(box("a", "x"), size=1), seen(box("a", "y"), size=1)]}
    now = {o.address: o for o in [seen(box("a", "x"), size=2), seen(box("a", "z"), size=1)]}
    assert [str(a) for a in moved(before, now)] == ["box:a/x", "box:a/y", "box:a/z"]
    assert moved(before, before) == []


def test_a_selection_that_leaves_out_what_it_needs_is_refused() -> None:
    desired = [wanted(network("a")), wanted(box("a", "x"), network("a"))]
    only_boxes = Selection(kinds=("box",))
    [problem] = plan(desired, [], selection=only_boxes).diagnostics
    assert problem.code == "left-out"
    assert "network:a" in problem.detail
    assert plan(desired, [seen(network("a"))], selection=only_boxes).can_apply


def test_deleting_one_machine_leaves_what_its_neighbours_stand_on() -> None:
    observed = [
        Observed(address=Address("a", "instance", "x"), fields={}),
        Observed(address=Address("a", "instance", "y"), fields={}),
        Observed(address=Address("a", "project"), fields={}),
    ]
    kinds = {name: Kind(name=name, rank=0) for name in ("instance", "project")}
    made = compare(
        Question(
            estate="e",
            desired={},
            observed={o.address: o for o in observed},
            kinds=kinds,
            selection=Selection(limits=("a/x",)),
            destroy=True,
        )
    )
    assert [str(change.address) for change in made.changes] == ["instance:a/x"]


def test_what_restarts_waits_until_nothing_is_deleted_in_it() -> None:
    outer, inner, other = box("a", "outer"), box("a", "inner"), box("a", "other")
    there = [seen(outer, nic="1"), seen(inner, outer), seen(other, outer)]
    restarted = plan([wanted(outer, nic="2"), wanted(other)], there, prune=True)
    assert [str(change.address) for change in restarted.changes] == ["box:a/outer", "box:a/inner"]
    assert restarted.changes[0].waits_for == {inner}
    live = plan([wanted(outer, nic="1", size="2"), wanted(other)], there, prune=True)
    assert live.changes[0].waits_for == frozenset()


def test_what_belongs_to_the_host_comes_first_and_is_never_limited() -> None:
    both = [wanted(network("a")), wanted(WALL)]
    made = plan(both, [], selection=Selection(limits=("a",)))
    assert [change.address for change in made.changes] == [WALL, network("a")]
    gone = plan(
        [], [seen(WALL), seen(network("a"))], destroy=True, selection=Selection(limits=("a",))
    )
    assert [change.address for change in gone.changes] == [network("a")], "it guards the rest"


def test_a_selection_may_not_leave_out_a_guard_that_is_not_as_it_should_be() -> None:
    desired = [wanted(WALL, size="new"), wanted(box("a", "x"), WALL, image="1")]
    only = Selection(kinds=("box",))
    for there in ([], [seen(WALL, size="old")]):
        made = plan(desired, there, selection=only)
        assert [problem.code for problem in made.diagnostics] == ["left-out"]
        assert "wall:host must be made first" in made.diagnostics[0].detail
    assert plan(desired, [seen(WALL, size="new")], selection=only).can_apply


def test_a_selection_may_not_leave_out_what_shields_a_host() -> None:
    """Its rules of ports: those of a machine are the firewall's, and only what stands on it waits for them."""
    host, machine = Address("cortex", "inside"), Address("a", "inside", "x")
    for inside, codes in ((host, ["left-out"]), (machine, [])):
        port = Address(inside.domain, "port", "db")
        desired = [wanted(inside, size="new"), wanted(port, inside, size="new")]
        old = [seen(inside, size="old"), seen(port, size="old")]
        made = plan(desired, old, selection=Selection(kinds=("port",)))
        assert [problem.code for problem in made.diagnostics] == codes
        assert plan(desired, old).can_apply
        shut = [seen(inside, size="new"), seen(port, size="old")]
        assert plan(desired, shut, selection=Selection(kinds=("port",))).can_apply
        served = [seen(inside, size="old"), seen(port, size="new")]
        assert plan(desired, served, selection=Selection(kinds=("port",))).can_apply


def test_what_stands_in_the_place_of_something_is_named_with_a_way_out() -> None:
    stranger = seen(box("a", "x"), owned=False, in_place=("the box theirs",), adopt="move it away")
    [problem] = plan([wanted(box("a", "x"), image="1")], [stranger]).diagnostics
    assert (problem.code, "the box theirs" in problem.detail) == ("not-ours", True)
    assert problem.hint == "Choose another name, or move it away"
