"""Asking before something is done: once for a plan, and by name for everything whose data would be lost."""

import sys
from collections.abc import Collection, Sequence

from freehold.cli import interrupts
from freehold.diagnostics import Diagnostic, FreeholdError, UsageError
from freehold.planning.change import Change
from freehold.planning.plan import Plan

_MANY = 3  # beyond so many names nobody reads what he types


def agree(plan: Plan, estate: str, *, yes: bool, confirmed: Collection[str]) -> bool:
    """Get every agreement the plan needs; True when somebody was asked, so that time has passed.

    Raises UsageError when an agreement is missing and nobody is there to be asked.
    """
    unconfirmed = [
        change for change in plan.destructive if not _confirmed(change, estate, confirmed)
    ]
    asks = bool(unconfirmed) or not yes
    if not asks:
        return False
    if yes or not sys.stdin.isatty():
        raise UsageError(*_missing(unconfirmed, estate))
    if unconfirmed:
        _ask_for_name(unconfirmed, estate)
    else:
        _ask(f"Do this to the estate `{estate}`?")
    return True


def agree_to(question: str) -> None:
    """Get one agreement that no plan needs. Raises UsageError when nobody is there, FreeholdError when the answer is no."""
    if not sys.stdin.isatty():
        raise UsageError(_nobody("If it is meant, add to the command:\n    --yes"))
    _ask(question)


def _confirmed(change: Change, estate: str, confirmed: Collection[str]) -> bool:
    return bool({change.address.path, change.address.domain, estate} & set(confirmed))


def _missing(unconfirmed: Sequence[Change], estate: str) -> list[Diagnostic]:
    if not unconfirmed:
        return [_nobody("Look at the plan; if it is meant, add to the command:\n    --yes")]
    return [
        Diagnostic(
            code="not-confirmed",
            summary="This would lose data, which needs an agreement of its own",
            detail=f"{_told(unconfirmed)}. Nothing was changed.",
            hint="If that is meant, add to the command:\n    --yes "
            + " ".join(f"--confirm {name}" for name in _names(unconfirmed, estate)),
        )
    ]


def _nobody(hint: str) -> Diagnostic:
    return Diagnostic(
        code="not-agreed",
        summary="Nobody agreed to this",
        detail="Standard input is not a terminal, so nobody can be asked. Nothing was changed.",
        hint=hint,
    )


def _names(unconfirmed: Sequence[Change], estate: str) -> list[str]:
    """What has to be named: each by itself, the whole estate when there are many."""
    many = len(unconfirmed) > _MANY
    return [estate] if many else [change.address.path for change in unconfirmed]


def _told(unconfirmed: Sequence[Change]) -> str:
    return "; ".join(f"{change.address} is to be {_past(change)}" for change in unconfirmed)


def _past(change: Change) -> str:
    if change.address.kind == "data":
        return "brought back"
    return {"delete": "deleted"}.get(change.action.value, "created anew")


def _ask_for_name(unconfirmed: Sequence[Change], estate: str) -> None:
    print(f"\nData is lost: {_told(unconfirmed)}.", file=sys.stderr)
    for name in _names(unconfirmed, estate):
        if _answer(f"Type {name} to agree: ") != name:
            raise FreeholdError(_declined())


def _ask(question: str) -> None:
    if _answer(f"\n{question} [y/N] ").lower() not in {"y", "yes"}:
        raise FreeholdError(_declined())


def _answer(prompt: str) -> str:
    try:
        with interrupts.at_once():
            print(prompt, end="", file=sys.stderr, flush=True)
            return sys.stdin.readline().strip()
    except KeyboardInterrupt as error:
        print(file=sys.stderr)
        raise FreeholdError(_declined()) from error


def _declined() -> Diagnostic:
    return Diagnostic(code="declined", summary="Not agreed", detail="Nothing was changed.")
