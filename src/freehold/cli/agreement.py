"""Asking before something is done: once for a plan, and by name for everything whose data would be lost."""

import sys
from collections.abc import Collection, Sequence

from freehold.diagnostics import Diagnostic, FreeholdError, UsageError
from freehold.planning.change import Change
from freehold.planning.plan import Plan


def agree(plan: Plan, estate: str, verb: str, *, yes: bool, confirmed: Collection[str]) -> bool:
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
        raise UsageError(*_missing(verb, unconfirmed))
    for change in unconfirmed:
        _ask_for_name(change)
    if not unconfirmed:
        _ask(f"Do this to the estate `{estate}`?")
    return True


def _confirmed(change: Change, estate: str, confirmed: Collection[str]) -> bool:
    return bool({change.address.path, change.address.domain, estate} & set(confirmed))


def _missing(verb: str, unconfirmed: Sequence[Change]) -> list[Diagnostic]:
    if not unconfirmed:
        return [
            Diagnostic(
                code="not-agreed",
                summary="Nobody agreed to this",
                detail="Standard input is not a terminal, so nobody can be asked. Nothing was changed.",
                hint=f"Look at the plan, then:\n    freehold {verb} --yes",
            )
        ]
    return [
        Diagnostic(
            code="not-confirmed",
            summary="This would lose data, which needs an agreement of its own",
            detail=f"{change.address} is to be {_past(change)}: {change.reason}. Nothing was changed.",
            hint=f"If that is meant:\n    freehold {verb} --yes --confirm {change.address.path}",
        )
        for change in unconfirmed
    ]


def _past(change: Change) -> str:
    return {"delete": "deleted"}.get(change.action.value, "created anew")


def _ask_for_name(change: Change) -> None:
    name = change.address.path
    print(f"\n{change.address} is to be {_past(change)}, and its data is lost.", file=sys.stderr)
    print(f"Type {name} to agree: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != name:
        raise FreeholdError(_declined())


def _ask(question: str) -> None:
    print(f"\n{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise FreeholdError(_declined())


def _declined() -> Diagnostic:
    return Diagnostic(code="declined", summary="Not agreed", detail="Nothing was changed.")
