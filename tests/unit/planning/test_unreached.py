"""A host that does not answer: nothing is said of what is on it, and everything else goes on."""

from typing import Any

from freehold.diagnostics import Diagnostic, Severity
from freehold.planning.address import Address
from freehold.planning.compare import compare
from freehold.planning.plan import Plan
from freehold.planning.question import Question
from freehold.planning.resource import Desired, Kind, Observed
from freehold.planning.selection import Selection

KINDS = {
    "computer": Kind(name="computer", rank=-1, carries=True),
    "inside": Kind(name="inside", rank=0),
}
AWAY, OTHER = Address("cortex", "inside"), Address("hippo", "inside")
COMPUTER = Address("cortex", "computer")
WHY = Diagnostic(code="host-unreachable", summary="It does not answer", detail="cortex: refused")


def plan(*wanted: Desired, seen: tuple[Observed, ...] = (), **options: Any) -> Plan:
    return compare(
        Question(
            estate="cottage",
            kinds=KINDS,
            desired={each.address: each for each in wanted},
            observed={each.address: each for each in seen},
            unreached={"cortex": WHY},
            **options,
        )
    )


def wanted(address: Address, *needs: Address) -> Desired:
    return Desired(address=address, fields={"colour": "blue"}, depends_on=frozenset(needs))


def test_what_is_on_it_is_left_out_and_the_rest_is_done() -> None:
    made = plan(wanted(AWAY), wanted(OTHER, AWAY))

    assert [change.address for change in made.changes] == [OTHER]
    assert made.can_apply
    assert made.unreached == ("cortex",)
    assert made.not_measured == ("host cortex",)
    assert [(each.code, each.severity) for each in made.diagnostics] == [
        ("host-unreachable", Severity.WARNING)
    ]


def test_what_was_on_it_is_no_orphan() -> None:
    made = plan(wanted(OTHER), seen=(Observed(address=AWAY, fields={}),), prune=True)

    assert made.orphans == ()
    assert [change.address for change in made.changes] == [OTHER]


def test_a_computer_that_we_make_is_made_so_that_it_answers_again() -> None:
    made = plan(wanted(AWAY, COMPUTER), wanted(COMPUTER))

    assert [change.address for change in made.changes] == [COMPUTER]
    assert made.unreached == ("cortex",)


def test_it_is_no_matter_to_a_selection_without_it() -> None:
    made = plan(wanted(AWAY), wanted(OTHER), selection=Selection(limits=("hippo",)))

    assert (made.unreached, made.diagnostics) == ((), ())


def test_what_is_to_go_is_told_to_stay_there() -> None:
    made = plan(destroy=True)

    assert made.unreached == ("cortex",)
    assert [each.code for each in made.diagnostics] == ["host-unreachable"]
