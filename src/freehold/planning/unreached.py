"""Hosts that do not answer: what is on them is left out of a plan, and the plan says so. Pure; called by `compare`.

What carries a host (a computer that the lab plays) is no part of it: it is how it may answer again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from freehold.diagnostics import Diagnostic, Severity
from freehold.planning.address import Address
from freehold.planning.question import Question
from freehold.planning.resource import Desired, Observed

Side = TypeVar("Side", Desired, Observed)


def within_reach(question: Question) -> Question:
    """The same without what is on such hosts. What stands on it goes on: it may well be there."""
    if not question.unreached:
        return question
    desired = {
        address: replace(
            wanted, depends_on=frozenset(n for n in wanted.depends_on if not _is_on(question, n))
        )
        for address, wanted in _reached(question, question.desired).items()
    }
    return replace(question, desired=desired, observed=_reached(question, question.observed))


def hosts_left_out(question: Question) -> tuple[str, ...]:
    """Those of which the selection names something; of what is to be destroyed, all."""
    named = {
        address.domain
        for address in question.desired
        if _is_on(question, address) and question.selection.includes(address)
    }
    return tuple(sorted(question.unreached if question.destroy else named))


def not_reached(question: Question) -> Iterator[Diagnostic]:
    """Why, once for each host."""
    for name in hosts_left_out(question):
        yield replace(question.unreached[name], severity=Severity.WARNING)


def _reached(question: Question, side: Mapping[Address, Side]) -> dict[Address, Side]:
    return {address: each for address, each in side.items() if not _is_on(question, address)}


def _is_on(question: Question, address: Address) -> bool:
    return address.domain in question.unreached and not question.kinds[address.kind].carries
