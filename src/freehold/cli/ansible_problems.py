"""Problems in the words of Ansible's users: what to type there instead of an option of `freehold`. Used by `ansible_task`."""

from collections.abc import Iterable
from dataclasses import replace

from freehold.diagnostics import Diagnostic, Severity, UsageError, did_you_mean
from freehold.model import Infra
from freehold.planning.plan import Plan
from freehold.planning.selection import Selection

_LEFT_OUT = "left-out"


def selection(infra: Infra, limits: Iterable[str], kinds: Iterable[str]) -> Selection:
    """What a task's `limit` and `kinds` name. Raises UsageError for a limit that infra.yml does not have."""
    known = {domain.name for domain in infra.domains} | {m.key for m in infra.machines()}
    problems = [_unknown(limit, known) for limit in limits if limit not in known]
    if problems:
        raise UsageError(*problems)
    return Selection(tuple(limits), tuple(kinds))


def in_ansible(problem: Diagnostic) -> Diagnostic:
    """The same problem, with what to do about it in a playbook."""
    if problem.code != _LEFT_OUT:
        return problem
    return replace(
        problem,
        summary="The task needs what other tasks make",
        hint="Make the whole infrastructure:\n    ansible-playbook site.yml --tags infra",
    )


def as_if_begun(plan: Plan) -> Plan:
    """In check mode nothing stands that the tasks before would have made: that is told and stops nothing."""
    told = "Checked as if other tasks had made what this one needs"
    problems = (
        replace(problem, severity=Severity.WARNING, summary=told, hint=None)
        if problem.code == _LEFT_OUT
        else problem
        for problem in plan.diagnostics
    )
    return replace(plan, diagnostics=tuple(problems))


def to_confirm(problem: Diagnostic, plan: Plan) -> Diagnostic:
    """The same problem, with the names to agree to as a variable of the roles."""
    names = ",".join(dict.fromkeys(change.address.path for change in plan.destructive))
    return replace(
        problem,
        hint="If that is meant, name it (the task's parameter is `confirm`):\n"
        f"    ansible-playbook site.yml -e freehold_confirm={names}",
    )


def _unknown(limit: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        code="unknown-selection",
        summary="The task names something that does not exist",
        detail=f"limit: {limit}",
        hint=did_you_mean(limit, known),
    )
